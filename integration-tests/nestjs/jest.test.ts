import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installRuntimes, jest } from "../matrix/runtimes.js";
import { prepareNest } from "./nest-app.js";

let folder: string;

beforeAll(async () => {
  await Promise.all([prepareNest("11"), installRuntimes()]);
  folder = await mkdtemp(join(tmpdir(), "plugboard-nest-jest-"));
  await symlink(fileURLToPath(new URL("nest-11/node_modules", import.meta.url)), join(folder, "node_modules"));
  await cp(new URL("fixtures", import.meta.url), folder, { recursive: true });
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("under Jest, which projects of Nest 11 have,", () => {
  it("tests connect clients in memory", { timeout: 60_000 }, async () => {
    const config = JSON.stringify({ rootDir: folder, testMatch: ["**/*.jest.cjs"], transform: {} });
    const told = await new Promise<string>((resolve) => {
      const args = [jest, "--ci", "--runInBand", "--config", config];
      execFile(process.execPath, args, { cwd: folder }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
    expect(told).toMatch(/^Tests: +1 passed, 1 total$/m);
  });
});
