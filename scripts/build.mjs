// Builds every publishable package: ESM, CJS and types, in the order of the import arrows.
import { existsSync } from "node:fs";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = ["protocol", "engine", "server"];
/** Entry files that a package may have: the public door, and one for sibling packages. */
const doors = ["index", "internal"];

/** Everything that is not a relative import stays an import: users get our dependencies, not copies of them. */
const external = (id) => !id.startsWith(".") && !id.startsWith("/");

async function buildPackage(name) {
  const cwd = join(root, "packages", name);
  const dist = join(cwd, "dist");
  await rm(dist, { recursive: true, force: true });
  const present = doors.filter((door) => existsSync(join(cwd, "src", `${door}.ts`)));
  const input = Object.fromEntries(present.map((door) => [door, `./src/${door}.ts`]));
  const common = {
    cwd,
    input,
    external,
    platform: "node",
    tsconfig: false,
    resolve: { extensionAlias: { ".js": [".ts"] } },
  };
  const code = await rolldown(common);
  const names = (extension) => ({
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
  });
  await code.write({ dir: dist, format: "esm", sourcemap: true, ...names("js") });
  await code.write({ dir: dist, format: "cjs", sourcemap: true, exports: "named", ...names("cjs") });
  await code.close();
  const types = await rolldown({ ...common, plugins: [dts({ cwd, tsconfig: false, oxc: true, emitDtsOnly: true })] });
  await types.write({ dir: dist, format: "esm", chunkFileNames: "[name]-[hash].d.ts" });
  await types.close();
  await deriveCommonJsTypes(dist);
  await exposeCallableExport(dist);
}

/** A .d.cts that imports "./chunk.js" would describe the ESM chunk: each declaration file gets a CommonJS twin. */
async function deriveCommonJsTypes(dist) {
  for (const file of await readdir(dist)) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(join(dist, file), "utf8");
    const twin = text.replaceAll(/(from\s+"\.\/[^"]+)\.js"/g, '$1.cjs"');
    await writeFile(join(dist, file.replace(/\.d\.ts$/, ".d.cts")), twin);
  }
}

/** In CommonJS an export called "module.exports" means nothing by itself: make it what require() returns. */
async function exposeCallableExport(dist) {
  const file = join(dist, "index.cjs");
  const text = await readFile(file, "utf8");
  if (!text.includes('exports["module.exports"]')) return;
  await writeFile(
    file,
    text.replace(/\n(\/\/# sourceMappingURL)/, '\nmodule.exports = exports["module.exports"];\n$1'),
  );
}

for (const name of packages) await buildPackage(name);

/** Vitest takes this file as its global setup, so that integration tests never run an old build; importing it is all. */
export function setup() {}
