import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { installLocked } from "../support/install-locked.js";

/** The oldest Fastify that the package works with, as modules that import "fastify" see it. */
export async function loadOldest(): Promise<object> {
  await installLocked(fileURLToPath(new URL("./oldest/", import.meta.url)));
  const fastify = createRequire(new URL("./oldest/package.json", import.meta.url))("fastify") as object;
  return { ...fastify, default: fastify };
}
