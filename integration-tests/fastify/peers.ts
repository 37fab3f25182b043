import type { FastifyPluginAsync } from "fastify";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { beforeAll } from "vitest";
import { installLocked } from "../support/install-locked.js";

const folder = fileURLToPath(new URL("./peers/", import.meta.url));
const requirePeer = createRequire(new URL("./peers/package.json", import.meta.url));

// In no test: no time that one may take is enough for an installation on a slow machine.
beforeAll(() => installLocked(folder));

/** Modules of `peers`, which have no types here. For tests and hooks: what loads this file installs them first. */
export async function loadPeer<Module = FastifyPluginAsync<Record<string, unknown>>>(name: string): Promise<Module> {
  return requirePeer(name) as Module;
}
