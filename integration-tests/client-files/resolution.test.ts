import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { describe, expect, it } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Runs a program in a process of its own, so that it is Node that resolves and loads. */
function node(program: string, type: "module" | "commonjs", ...flags: string[]): Promise<string> {
  const args = [...flags, `--input-type=${type}`, "--eval", program];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: here }, (error, stdout, stderr) =>
      error === null ? resolve(stdout.trim()) : reject(new Error(stderr, { cause: error })),
    );
  });
}

const fileOf = (url: string): string => /dist\/([^/]+)$/.exec(url)?.[1] ?? url;

describe("the package of the client", () => {
  it.each([
    { door: "", conditions: [], file: "node.mjs" },
    { door: "/websocket", conditions: [], file: "websocket-node.mjs" },
    { door: "/debug", conditions: [], file: "node.mjs" },
    { door: "", conditions: ["browser"], file: "index.mjs" },
    { door: "/websocket", conditions: ["browser"], file: "websocket.mjs" },
    { door: "/debug", conditions: ["browser"], file: "debug.mjs" },
  ])("gives $file for $door to who has the conditions $conditions", async ({ door, conditions, file }) => {
    const flags = conditions.map((condition) => `--conditions=${condition}`);
    const found = await node(`console.log(import.meta.resolve("@plugboard/client${door}"))`, "module", ...flags);
    expect(fileOf(found)).toBe(file);
  });

  it.each(["", "/websocket", "/debug"])("is a function with its parts for require(): %s", async (door) => {
    const program = `
      const io = require("@plugboard/client${door}");
      console.log(typeof io, io.io === io, io.connect === io, typeof io.Manager, typeof io.Socket, io.protocol);`;
    expect(await node(program, "commonjs")).toBe("function true true function function 5");
  });

  it.each(["node.cjs", "websocket-node.cjs", "index.cjs", "websocket.cjs", "debug.cjs"])(
    "is the same for hosts that load the CommonJS build: %s",
    async (file) => {
      const program = `
        const io = require("../../packages/client/dist/${file}");
        console.log(typeof io, io.io === io, io.connect === io, typeof io.Manager, typeof io.Socket, io.protocol);`;
      expect(await node(program, "commonjs")).toBe("function true true function function 5");
    },
  );

  it("is one copy for import and require(), so that classes and managers are shared", async () => {
    const program = `
      import { createRequire } from "node:module";
      import io, { Manager, Socket } from "@plugboard/client";
      const required = createRequire(import.meta.url)("@plugboard/client");
      console.log(required === io, required.Manager === Manager, required.Socket === Socket);`;
    expect(await node(program, "module")).toBe("true true true");
  });

  it("leaves nothing in a program that imports it and uses nothing of it", async () => {
    expect((await bundle('import "@plugboard/client";')).trim()).toBe("");
    expect((await bundle('import { io } from "@plugboard/client/websocket";')).trim()).toBe("");
  });

  it("leaves out of a program for the web what belongs to Node, to debugging and to servers", async () => {
    const code = await bundle('import { io } from "@plugboard/client"; io();');
    expect(code).not.toMatch(/node:|require\(|debug|process\./);
    const websocketOnly = await bundle('import { io } from "@plugboard/client/websocket"; io();');
    expect(websocketOnly).not.toMatch(/XMLHttpRequest|fetch\(|WebTransport/);
  });
});

/** What a bundler makes of a program for browsers. */
async function bundle(program: string): Promise<string> {
  const build = await rolldown({
    cwd: here,
    input: "program",
    platform: "browser",
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? `${here}program.mjs` : undefined),
        load: (id) => (id.endsWith("/program.mjs") ? program : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false, minify: "dce-only", comments: false });
  await build.close();
  return output[0].code;
}
