import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const fixtures = fileURLToPath(new URL("./fixtures/app", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An application outside of this repository, with our packed server installed as "socket.io". */
export interface InstalledApp {
  readonly folder: string;
  /** Runs Node in the application's folder. */
  node(...args: string[]): Promise<Outcome>;
  /** Runs any program in the application's folder. */
  run(file: string, ...args: string[]): Promise<Outcome>;
  npm(...args: string[]): Promise<Outcome>;
  /** Runs the TypeScript compiler of this repository in the application's folder. */
  tsc(...args: string[]): Promise<Outcome>;
  remove(): Promise<void>;
}

function execute(cwd: string, file: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, npm_config_loglevel: "error" };
    execFile(file, args, { cwd, env, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

async function must(outcome: Promise<Outcome>): Promise<Outcome> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(stdout + stderr);
  return { code, stdout, stderr };
}

/** A package of somebody else that wants any Socket.IO 4. */
async function packPeerProbe(folder: string): Promise<void> {
  const probe = join(folder, "peer-probe");
  const manifest = { name: "peer-probe", version: "1.0.0", peerDependencies: { "socket.io": ">=4" } };
  await mkdir(probe);
  await writeFile(join(probe, "package.json"), JSON.stringify(manifest));
  await must(execute(folder, "npm", ["pack", "./peer-probe"]));
}

/** Packs the built packages and installs them, by the ordinary npm client, in a new folder beside the fixtures. */
export async function installApp(): Promise<InstalledApp> {
  const folder = await mkdtemp(join(tmpdir(), "plugboard-app-"));
  const packages = ["protocol", "engine", "contract", "server", "client"].map((name) => `./packages/${name}`);
  await must(execute(root, "npm", ["pack", "--pack-destination", folder, ...packages]));
  await packPeerProbe(folder);
  const manifest = {
    name: "app",
    private: true,
    dependencies: {
      "socket.io": "file:plugboard-server-4.100.0.tgz",
      "@plugboard/client": "file:plugboard-client-4.100.0.tgz",
      "@plugboard/contract": "file:plugboard-contract-4.100.0.tgz",
      "@plugboard/engine": "file:plugboard-engine-4.100.0.tgz",
      "@plugboard/protocol": "file:plugboard-protocol-4.100.0.tgz",
      "@socket.io/redis-adapter": "8.3.0",
      "peer-probe": "file:peer-probe-1.0.0.tgz",
      "socket.io-client": "4.8.4",
    },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await cp(fixtures, folder, { recursive: true });
  const quick = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--strict-peer-deps"];
  await must(execute(folder, "npm", ["install", ...quick]));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  return {
    folder,
    run: (file, ...args) => execute(folder, file, args),
    node: (...args) => execute(folder, process.execPath, args),
    npm: (...args) => execute(folder, "npm", args),
    tsc: (...args) => execute(folder, process.execPath, [compiler, ...args]),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
