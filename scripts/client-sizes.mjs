// What a visitor of a page downloads for the client, and whether that is more than it may be. Run after the build.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { root } from "./run.mjs";

/**
 * Bytes after `gzip -9`. `goal` is where they are to be, `limit` where they are: no change may make them larger without
 * saying so here. Those without either are for information.
 */
const LIMITS = [
  { file: "socket.io.min.js", limit: 10_640, goal: 10_000 },
  { file: "socket.io.esm.min.js", limit: 10_910, goal: 9_000 },
  { file: "socket.io.websocket.esm.min.js", limit: 8_410, goal: 6_000 },
  { file: "socket.io.msgpack.min.js" },
  { file: "socket.io.js" },
  { program: 'import { io } from "@plugboard/client"; io();', limit: 11_310, goal: 9_000 },
  { program: 'import { io } from "@plugboard/client/websocket"; io();', limit: 9_010, goal: 6_000 },
];

/** What a bundler makes of a program, as for a page in production. */
async function bundled(code) {
  const build = await rolldown({
    cwd: join(root, "integration-tests"),
    input: "program",
    platform: "browser",
    transform: { target: "es2022" },
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? join(root, "integration-tests/program.mjs") : undefined),
        load: (id) => (id.endsWith("/program.mjs") ? code : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false, comments: false });
  await build.close();
  return Buffer.from(output[0].code);
}

for (const { file, program, limit, goal } of LIMITS) {
  const bytes = program ? await bundled(program) : await readFile(join(root, "packages/client/dist", file));
  const compressed = gzipSync(bytes, { level: 9 }).length;
  const isTooLarge = limit !== undefined && compressed > limit;
  const allowed = limit === undefined ? "" : ` of ${limit} allowed, the goal is ${goal}`;
  console.log(
    `${isTooLarge ? "TOO LARGE  " : ""}${file ?? program}: ${bytes.length} bytes, ${compressed} compressed${allowed}`,
  );
  if (isTooLarge) process.exitCode = 1;
}
