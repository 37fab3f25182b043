import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const oxlint = join(root, "node_modules/oxlint/bin/oxlint");

let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "plugboard-walls-"));
  await cp(join(root, ".oxlintrc.json"), join(copy, ".oxlintrc.json"));
  for (const name of [
    "protocol",
    "engine",
    "contract",
    "server",
    "client",
    "msgpack",
    "session",
    "auth",
    "rate-limit",
    "testing",
    "fastify",
    "express",
    "nestjs",
    "testkit",
  ]) {
    await cp(join(root, "packages", name, "src"), join(copy, "packages", name, "src"), { recursive: true });
  }
});

afterAll(() => rm(copy, { recursive: true, force: true }));

/** Plants the files in the copy, lints those alone with the repository's configuration, and takes them out again. */
async function lint(files: Record<string, string>): Promise<{ code: number; output: string }> {
  const paths = Object.keys(files);
  for (const path of paths) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), files[path] ?? "");
  }
  const result = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, [oxlint, "--format", "unix", ...paths], { cwd: copy }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });
  for (const path of paths) await rm(join(copy, path));
  return result;
}

const circle = /Dependency cycle detected/;
const wall = /import is restricted/;

const violations: Array<{ title: string; files: Record<string, string>; message: RegExp }> = [
  {
    title: "two files that import values from each other",
    message: circle,
    files: {
      "packages/engine/src/planted-a.ts": `import { b } from "./planted-b.js";\nexport const a = (): unknown => b;\n`,
      "packages/engine/src/planted-b.ts": `import { a } from "./planted-a.js";\nexport const b = (): unknown => a;\n`,
    },
  },
  {
    title: "a circle of type imports through three files",
    message: circle,
    files: {
      "packages/server/src/planted-a.ts": `import type { B } from "./planted-b.js";\nexport type A = B | 1;\n`,
      "packages/server/src/planted-b.ts": `import { type C } from "./deep/planted-c.js";\nexport type B = C | 2;\n`,
      "packages/server/src/deep/planted-c.ts": `import type { A } from "../planted-a.js";\nexport type C = A | 3;\n`,
    },
  },
  wallCase("protocol", `import type { Socket } from "node:net";`),
  wallCase("protocol", `import { it } from "vitest";`),
  wallCase("protocol", `import type { Engine } from "@plugboard/engine";`),
  wallCase("engine", `import type { Server } from "@plugboard/server";`),
  wallCase("engine", `export type { Server } from "@plugboard/server/internal";`),
  wallCase("engine", `import type { Server } from "../../server/src/index.js";`),
  wallCase("engine", `import type { WebSocket } from "ws";`),
  wallCase("engine", `import debug from "debug";`),
  wallCase("engine", `import { peer } from "@plugboard/testkit";`),
  wallCase("server", `import type { WebSocket } from "ws";`),
  wallCase("server", `import debug from "debug";`),
  wallCase("server", `import { peer } from "@plugboard/testkit";`),
  wallCase("server", `import type { Server } from "socket.io";`),
  wallCase("client", `import type { WebSocket } from "ws";`),
  wallCase("client", `import createDebug from "debug";`),
  wallCase("client", `import type { Socket } from "node:net";`),
  wallCase("client", `import type { Engine } from "@plugboard/engine";`),
  wallCase("client", `import type { Packet } from "../../protocol/src/index.js";`),
  wallCase("client/src/node", `import type { WebSocket } from "ws";`),
  wallCase("client/src/node", `import type { Socket } from "engine.io-client";`),
  wallCase("msgpack", `import type { Server } from "@plugboard/server";`),
  wallCase("msgpack", `import { encode } from "notepack.io";`),
];

function wallCase(layer: string, statement: string): (typeof violations)[number] {
  return {
    title: `in ${layer}: ${statement}`,
    files: { [`packages/${layer.includes("/") ? layer : `${layer}/src`}/planted.ts`]: statement },
    message: wall,
  };
}

describe("the lint step of the check", () => {
  it.each(violations)("refuses $title", async ({ files, message }) => {
    const { code, output } = await lint(files);
    expect(output).toMatch(message);
    expect(code).toBe(1);
  });

  it("lets imports pass that point down, the one file that wraps ws, and tests that use the testkit", async () => {
    const result = await lint({
      "packages/server/src/planted.ts": `export type { Packet } from "@plugboard/protocol";\nexport { prepareFrame } from "@plugboard/engine/internal";\n`,
      "packages/engine/src/planted.test.ts": `export { peer } from "@plugboard/testkit";\nexport type { Packet } from "@plugboard/protocol";\n`,
    });
    expect(result).toMatchObject({ code: 0 });
    const client = await lint({
      "packages/client/src/planted.ts": `export type { Packet } from "@plugboard/protocol";\n`,
      "packages/client/src/node/planted.ts": `export type { Socket } from "node:net";\n`,
      "packages/msgpack/src/planted.ts": `export { encode } from "@msgpack/msgpack";\n`,
    });
    expect(client).toMatchObject({ code: 0 });
    const channel = await lint({ "packages/engine/src/node/ws-channel.ts": `export { WebSocketServer } from "ws";\n` });
    expect(channel).toMatchObject({ code: 0 });
  });
});
