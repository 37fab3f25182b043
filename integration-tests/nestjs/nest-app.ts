import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { vi } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { installLocked } from "../support/install-locked.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/** Major versions of Nest, each installed in a folder of its own. */
export const NEST_VERSIONS = ["10", "11", "12"] as const;
export type NestVersion = (typeof NEST_VERSIONS)[number];
export const PLATFORMS = ["express", "fastify"] as const;

export interface NestRun {
  readonly version: NestVersion;
  readonly platform: (typeof PLATFORMS)[number];
}

/** Every version on every platform. */
export const NEST_RUNS: readonly NestRun[] = NEST_VERSIONS.flatMap((version) =>
  PLATFORMS.map((platform) => ({ version, platform })),
);

/** The published client everywhere, and ours on the newest Nest: how a client behaves does not depend on that of the server. */
export function clientsOn({ version }: NestRun): readonly StockOrOurs[] {
  return version === "12" ? bothClients : bothClients.slice(0, 1);
}

// Hooks call `prepareNest`: where nothing is installed yet, that takes as long as an installation may. And some tests start
// programs of their own, each of which takes ten seconds on a very busy machine.
vi.setConfig({ hookTimeout: 300_000, testTimeout: 90_000 });

/** The same, with each client that it is tested with. */
export const NEST_CLIENT_RUNS: readonly (NestRun & StockOrOurs)[] = NEST_RUNS.flatMap((run) =>
  clientsOn(run).map((client) => ({ ...run, ...client })),
);

/** What our package imports, and tests of users. */
const LINKED = ["server", "contract", "session", "auth", "rate-limit", "testing"];

/** Installs a version of Nest, with our built packages beside it and the programs of `apps` compiled. */
export async function prepareNest(version: NestVersion): Promise<void> {
  const folder = join(here, `nest-${version}`);
  await installLocked(folder);
  await mkdir(join(folder, "node_modules/@plugboard"), { recursive: true });
  const ours = join(folder, "node_modules/@plugboard");
  await Promise.all(LINKED.map((name) => linkOnce(join(packages, name), join(ours, name))));
  // A copy, for Node follows links: it is to find the Nest that is installed here.
  const files = (await readdir(join(packages, "nestjs/dist"))).filter((name) => !name.endsWith(".map"));
  for (const name of ["package.json", ...files.map((file) => `dist/${file}`)]) {
    await put(join(ours, "nestjs", name), await readFile(join(packages, "nestjs", name), "utf8"));
  }
  for (const name of await readdir(join(here, "apps"))) {
    const text = await readFile(join(here, "apps", name), "utf8");
    await put(join(appFolder(version), name.replace(".mts", ".mjs")), compile(text, name));
  }
}

/** What the compiler of a Nest project says of the programs of `apps`: nothing, if all is well. */
export async function typeErrors(version: NestVersion): Promise<string[]> {
  const folder = join(here, `nest-${version}`, "node_modules/.types");
  const names = await readdir(join(here, "apps"));
  for (const name of names) await put(join(folder, name), await readFile(join(here, "apps", name), "utf8"));
  const program = ts.createProgram({
    rootNames: names.map((name) => join(folder, name)),
    options: {
      ...compilerOptions,
      module: ts.ModuleKind.NodeNext,
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [fileURLToPath(new URL("../../node_modules/@types", import.meta.url))],
    },
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

/** Another process may be about to load the file. */
async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, file);
}

/** As a Nest project has them: decorators with metadata of types. */
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  useDefineForClassFields: false,
};

function compile(text: string, fileName: string): string {
  return ts.transpileModule(text, { compilerOptions, fileName }).outputText;
}

async function linkOnce(target: string, path: string): Promise<void> {
  await symlink(target, path, "dir").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

function appFolder(version: NestVersion): string {
  return join(here, `nest-${version}`, "node_modules/.apps");
}

/** A program of `apps` on a version of Nest, in a process of its own. */
export interface NestProcess {
  /** Where it listens. */
  readonly url: string;
  /** What it has printed until now. */
  output(): string;
  /** Resolves when it has printed this. */
  printed(text: string): Promise<void>;
  /** Sends SIGTERM, and resolves with its exit code or the signal that ended it. */
  stop(): Promise<number | string>;
  /** Ends it in any case. */
  kill(): Promise<void>;
}

/** Starts a program and waits until it listens; rejects with what it has printed when it ends before. */
export async function startNest(
  version: NestVersion,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<NestProcess> {
  const args = [join(appFolder(version), `${name}.mjs`)];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close").then(([code, signal]: (number | string | null)[]) => code ?? signal ?? "?");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("printed");
    });
  }
  const printed = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      const isOver = await Promise.race([once(child, "printed").then(() => false), ended.then(() => true)]);
      if (isOver && !output.includes(text)) throw new Error(`${name} ended without printing "${text}": ${output}`);
    }
  };
  await printed("listening ");
  await printed("\n");
  return {
    url: /listening (\S+)/.exec(output)?.[1] as string,
    output: () => output,
    printed,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
