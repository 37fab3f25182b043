/*
 * Run after `npm install`, with the folder where that was not the root: adds to its package-lock.json the platform
 * packages (native bindings of oxlint, rolldown and others) that the registry at hand did not serve. npm leaves those out
 * of the lock it writes, and then `npm ci` refuses the lock because they are missing, although none of them is for this
 * platform.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)), "package-lock.json");
const BINDING =
  /(?:binding-|@deno\/)(android|darwin|freebsd|linux|openharmony|win32|wasm32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64|wasi)(?:-(\w+))?$/;

/** Where Node would find `name` from the package at `from`, or undefined. */
function locate(packages, from, name) {
  for (let at = from; ; at = at.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, "")) {
    const key = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (packages[key] !== undefined) return key;
    if (at === "") return undefined;
  }
}

function platformEntry(name, version, isDev) {
  const [, system, cpu, abi] = BINDING.exec(name) ?? [];
  if (system === undefined) return undefined;
  const isWasm = system === "wasm32";
  const entry = { version, cpu: [isWasm ? "wasm32" : cpu], ...(isDev ? { dev: true } : {}), optional: true };
  if (!isWasm) entry.os = [system];
  if (system === "linux" && abi !== undefined) entry.libc = [abi.startsWith("musl") ? "musl" : "glibc"];
  return entry;
}

const lock = JSON.parse(await readFile(file, "utf8"));
const { packages } = lock;
let added = 0;
for (const [key, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const found = locate(packages, key, name);
    if (found !== undefined && (packages[found].version === version || !/^\d/.test(version))) continue;
    const entry = platformEntry(name, version, dev === true);
    if (entry === undefined) continue;
    packages[locate(packages, "", name) === undefined ? `node_modules/${name}` : `${key}/node_modules/${name}`] = entry;
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(file, JSON.stringify(lock, null, 2) + "\n");
console.log(`${added} platform packages added to ${file}`);
