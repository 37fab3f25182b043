// Builds every publishable package.
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { servedFiles, writeBundles } from "./build-bundles.mjs";
import { shortFields, writeCode, writeTypes } from "./build-library.mjs";

const folderOf = (name) => fileURLToPath(new URL(`../packages/${name}`, import.meta.url));

/**
 * Fills a new folder and puts it in the place of `dist`, so that whoever uses the old files meanwhile, as a test that runs
 * beside this build, has them until the new ones are there.
 */
async function replaceDist(cwd, fill) {
  const fresh = join(cwd, `.dist-${process.pid}`);
  const old = `${fresh}-old`;
  const dist = join(cwd, "dist");
  await mkdir(fresh, { recursive: true });
  try {
    await fill(fresh);
    await swap(fresh, dist, old);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Another build may do the same at the same time: then the later one counts. */
async function swap(fresh, dist, old) {
  for (let triesLeft = 10; ; triesLeft--) {
    try {
      if (existsSync(dist)) await rename(dist, old);
      return await rename(fresh, dist);
    } catch (error) {
      if (triesLeft === 0) throw error;
      await rm(old, { recursive: true, force: true });
    }
  }
}

/** ESM, CJS and types of a package, from the entry files that its `exports` name: `.` is `index`, `./internal` is `internal`. */
async function writeLibrary(cwd, dist) {
  const { exports } = JSON.parse(await readFile(join(cwd, "package.json"), "utf8"));
  const doors = Object.keys(exports).filter((door) => door !== "./package.json");
  const library = { cwd, dist, doors: doors.map((door) => door.slice(2) || "index") };
  await writeCode(library);
  await writeTypes(library);
}

/**
 * The client comes in three kinds: for the web without a trace of `debug`, the same with it, and for Node, which always has
 * it. In the same folder are the bundles.
 */
async function writeClient(cwd, dist) {
  const common = { cwd, dist, extension: "mjs" };
  const write = (doors, debug) =>
    writeCode({ ...common, doors, transform: { ...shortFields, define: { PLUGBOARD_DEBUG: String(debug) } } });
  await write(["index", "websocket"], false);
  await write({ debug: "index" }, true);
  await write(["node", "websocket-node"], true);
  await writeTypes({ ...common, doors: ["index", "websocket", "node", "websocket-node"] });
  await writeBundles({ cwd, dist });
}

/** The server serves a copy of the bundles, so that it need not depend on the client. */
async function writeServer(cwd, dist, client) {
  await writeLibrary(cwd, dist);
  for (const file of servedFiles) await cp(join(client, file), join(dist, "client", file));
}

for (const name of [
  "protocol",
  "engine",
  "contract",
  "msgpack",
  "session",
  "auth",
  "rate-limit",
  "testing",
  "fastify",
  "express",
  "nestjs",
]) {
  await replaceDist(folderOf(name), (dist) => writeLibrary(folderOf(name), dist));
}
await replaceDist(folderOf("client"), async (client) => {
  await writeClient(folderOf("client"), client);
  await replaceDist(folderOf("server"), (dist) => writeServer(folderOf("server"), dist, client));
});

/** Vitest takes this file as its global setup, so that integration tests never run an old build; importing it is all. */
export function setup() {}
