import { execFile } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { installRuntimes, jest } from "../matrix/runtimes.js";
import { prepareNest, type NestVersion } from "./nest-app.js";

const execute = promisify(execFile);

function run(args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const { FORCE_COLOR: _colors, ...env } = process.env;
  return execute(process.execPath, args, { cwd, env: { ...env, NO_COLOR: "1" } });
}

const requireMatrix = createRequire(new URL("../matrix/package.json", import.meta.url));
const spec = fileURLToPath(new URL("./specs/chat.spec.mts", import.meta.url));
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));

/** Beside the packages of a version, where a project of it would have its tests. */
async function putSpec(version: NestVersion): Promise<string> {
  const folder = fileURLToPath(new URL(`./nest-${version}/node_modules/.specs/`, import.meta.url));
  await mkdir(folder, { recursive: true });
  await copyFile(spec, `${folder}chat.spec.ts`);
  return folder;
}

/** As `nest new` sets them. */
const compilerOptions = {
  target: "ES2022",
  module: "commonjs",
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  esModuleInterop: true,
  isolatedModules: true,
};

describe.each(["10", "11"] as const)("a project with Jest and ts-jest on Nest %s", (version) => {
  beforeAll(() => Promise.all([installRuntimes(), prepareNest(version)]));

  it("tests its gateways with our CommonJS builds", { timeout: 120_000 }, async () => {
    const folder = await putSpec(version);
    const config = {
      rootDir: folder,
      testRegex: ".*\\.spec\\.ts$",
      transform: { "^.+\\.ts$": [requireMatrix.resolve("ts-jest"), { tsconfig: compilerOptions, diagnostics: false }] },
      testEnvironment: "node",
      // It stands in a folder of packages here, which Jest looks away from.
      haste: { retainAllFiles: true },
      testPathIgnorePatterns: [],
      transformIgnorePatterns: ["\\.js$", "\\.cjs$"],
    };
    const args = [jest, "--ci", "--runInBand", "--config", JSON.stringify(config)];
    const { stderr } = await run(args, folder);
    expect(stderr).toMatch(/Tests: +2 passed, 2 total/);
  });
});

describe("a project with Vitest on Nest 12", () => {
  beforeAll(() => prepareNest("12"));

  it("tests its gateways with our ESM builds", { timeout: 120_000 }, async () => {
    const folder = await putSpec("12");
    const include = ["*.spec.ts"];
    // It stands in a folder of packages here, which Vitest looks away from.
    const server = { deps: { inline: [/\.specs/] } };
    const oxc = { decorator: { legacy: true, emitDecoratorMetadata: true } };
    const config = { oxc, test: { root: folder, globals: true, include, exclude: [], server } };
    await writeFile(`${folder}vitest.config.mjs`, `export default ${inspect(config, { depth: null })};\n`);
    const args = [vitest, "run", "--config", `${folder}vitest.config.mjs`];
    const { stdout } = await run(args, folder);
    expect(stdout).toMatch(/Tests +2 passed \(2\)/);
  });
});
