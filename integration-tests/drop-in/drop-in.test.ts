import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installApp, type InstalledApp } from "./installed-app.js";

let app: InstalledApp;

beforeAll(async () => {
  app = await installApp();
});

afterAll(() => app?.remove());

const heard = { reply: "who!", bytes: [1, 2, 3], text: "hey", upgrade: "websocket" };

/** Without the ability to require ESM, Node before 20.19 and most bundlers take the CommonJS build of every package. */
const withoutRequiringEsm = "--no-experimental-require-module";

describe('an application with our tarball installed as "socket.io"', { timeout: 60_000 }, () => {
  it.each([
    { how: "imports it", args: ["imported.mjs"] },
    { how: 'calls what require("socket.io") returns', args: ["required.cjs"] },
    { how: "requires it where only CommonJS can be required", args: [withoutRequiringEsm, "required.cjs"] },
    {
      how: "requires the CommonJS file by its path",
      args: ["required.cjs", "./node_modules/socket.io/dist/index.cjs"],
    },
  ])("talks to the published client when it $how", async ({ args }) => {
    const { code, stdout, stderr } = await app.node(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual(heard);
  });

  it("may subclass Server, Namespace and Socket", async () => {
    const { stdout, stderr } = await app.node("subclass.mjs");
    expect(stdout + stderr).toBe("true true /audited true\n");
  });

  it("satisfies packages that want any Socket.IO 4 as their peer", async () => {
    const { code, stdout } = await app.npm("ls", "socket.io", "--json");
    const tree = JSON.parse(stdout) as { dependencies: Record<string, { version: string; invalid?: string }> };
    expect(tree.dependencies["socket.io"]).toMatchObject({ version: "4.100.0" });
    expect(tree).not.toHaveProperty("problems");
    expect(code).toBe(0);
  });
});

describe("its types", { timeout: 120_000 }, () => {
  const strict = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", "--skipLibCheck"];

  it.each([
    { resolver: "node16", args: ["--module", "node16"] },
    { resolver: "nodenext", args: ["--module", "nodenext"] },
  ])("fit across ESM and CommonJS in one program, as $resolver resolves them", async ({ args }) => {
    const { stdout } = await app.tsc(...strict, ...args, "modern.mts", "legacy.cts");
    expect(stdout).toBe("");
  });

  it("are found by a bundler and by a compiler that knows nothing of package exports", async () => {
    const bundler = ["--module", "esnext", "--moduleResolution", "bundler"];
    expect((await app.tsc(...strict, ...bundler, "modern.mts")).stdout).toBe("");
    const old = ["--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "6.0"];
    expect((await app.tsc(...strict, ...old, "legacy.cts")).stdout).toBe("");
  });

  it.each([
    { resolver: "node16", args: ["--module", "node16"], files: ["types-required.cts"] },
    { resolver: "nodenext", args: ["--module", "nodenext"], files: ["types-required.cts", "types-called.cts"] },
    {
      resolver: "node10",
      args: ["--module", "commonjs", "--moduleResolution", "node10", "--ignoreDeprecations", "6.0"],
      files: ["types-required.cts"],
    },
  ])("are members of what require() returns, as $resolver resolves it", async ({ args, files }) => {
    const { stdout } = await app.tsc(...strict, ...args, ...files);
    expect(stdout).toBe("");
  });

  it("are correct in themselves: the declaration files pass the compiler too", async () => {
    const doors = ["socket.io/dist/index", "@plugboard/client/dist/node", "@plugboard/client/dist/index"];
    const files = doors.flatMap((door) => {
      const esm = door.startsWith("socket.io") ? "ts" : "mts";
      return [`node_modules/${door}.d.${esm}`, `node_modules/${door}.d.cts`];
    });
    const { stdout } = await app.tsc(...strict, "--skipLibCheck", "false", "--module", "node16", ...files);
    expect(stdout.split("\n").filter((line) => /socket\.io\/dist|@plugboard/.test(line))).toEqual([]);
  });
});
