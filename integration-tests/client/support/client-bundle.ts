import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll } from "vitest";
import type { ClientImplementation } from "./clients.js";

const source = (path: string): string => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));

/** Our client in one file, made from the sources: for processes of their own, which know no TypeScript. */
async function bundleSources(): Promise<string> {
  const build = await rolldown({
    input: source("client/src/node.ts"),
    platform: "node",
    tsconfig: false,
    resolve: {
      extensionAlias: { ".js": [".ts", ".js"] },
      alias: { "@plugboard/protocol": source("protocol/src/index.ts") },
    },
    transform: { define: { PLUGBOARD_DEBUG: "true" } },
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  await build.close();
  return output[0].code;
}

/** Where a process of its own imports a client from; the file of ours is there while the tests of this file run. */
export function importableClients(): (client: ClientImplementation) => string {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "plugboard-client-"));
    await writeFile(join(folder, "client.mjs"), await bundleSources());
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return (client) =>
    client.ours ? pathToFileURL(join(folder, "client.mjs")).href : import.meta.resolve("socket.io-client");
}
