import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Serves the files, asks for one of them and for its map, and says what came. */
const program = `
  const io = new Server(0);
  io.httpServer.on("listening", async () => {
    const url = "http://localhost:" + io.httpServer.address().port + "/socket.io/socket.io.min.js";
    const [script, map] = await Promise.all([fetch(url), fetch(url + ".map")]);
    const isClient = (await script.text()).startsWith("/*! Plugboard client");
    console.log(script.status, map.status, isClient, script.headers.get("etag") === '"' + version + '"');
    io.close();
  });`;

it.each([
  {
    build: "ESM",
    type: "module",
    head: `import { createRequire } from "node:module";
      import { Server } from "@plugboard/server";
      const { version } = createRequire(import.meta.url)("@plugboard/server/package.json");`,
  },
  {
    build: "CommonJS",
    type: "commonjs",
    head: `const { Server } = require("../../packages/server/dist/index.cjs");
      const { version } = require("@plugboard/server/package.json");`,
  },
])("the $build build of the server finds the files of the client beside itself", async ({ type, head }) => {
  const args = [`--input-type=${type}`, "--eval", head + program];
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: here }, (error, stdout, stderr) =>
      error === null ? resolve(stdout + stderr) : reject(new Error(stderr, { cause: error })),
    );
  });
  expect(printed).toBe("200 200 true true\n");
});
