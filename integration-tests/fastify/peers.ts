import type { FastifyPluginAsync } from "fastify";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { installLocked } from "../support/install-locked.js";

const folder = fileURLToPath(new URL("./peers/", import.meta.url));
const requirePeer = createRequire(new URL("./peers/package.json", import.meta.url));

/** Modules of `peers`, which have no types here. To be called by a test, for they may have to be installed. */
export async function loadPeer<Module = FastifyPluginAsync<Record<string, unknown>>>(name: string): Promise<Module> {
  await installLocked(folder);
  return requirePeer(name) as Module;
}
