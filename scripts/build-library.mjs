// What `npm install` of a package gives: ESM and CJS files with their types, and imports of other packages left alone.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { addRequiredTypes } from "./required-types.mjs";

/** Everything that is not a relative import stays an import: users get our dependencies, not copies of them. */
const external = (id) => !id.startsWith(".") && !id.startsWith("/");

/** Of `.js` and `.mjs` files, what their CommonJS twins and their declarations end in. */
const DECLARATIONS = { js: "ts", mjs: "mts" };

/**
 * For the client, where bytes count: fields are assigned in the constructor, and those that have no value of their own are
 * not mentioned. A field that nothing in the constructor assigns says `= undefined`, so that all objects have one shape.
 */
export const shortFields = {
  assumptions: { setPublicClassFields: true },
  typescript: { removeClassFieldsWithoutInitializer: true },
};

/** @param doors names of entry files in `src`, or names of built files with those of their entry files */
function inputOf(doors) {
  const entries = Array.isArray(doors) ? doors.map((door) => [door, door]) : Object.entries(doors);
  return Object.fromEntries(entries.map(([name, door]) => [name, `./src/${door}.ts`]));
}

function optionsOf({ cwd, doors, transform }) {
  return {
    cwd,
    input: inputOf(doors),
    external,
    // Nothing is resolved but our own files, so this is about the output alone.
    platform: "node",
    tsconfig: false,
    resolve: { extensionAlias: { ".js": [".ts"] } },
    transform,
  };
}

/**
 * Writes `<door>.js` (or `.mjs`) and `<door>.cjs`, with source maps.
 *
 * @param library `cwd`: folder of the package; `dist`: where to write; `doors`; `transform`: options of Rolldown's
 */
export async function writeCode({ dist, extension = "js", ...library }) {
  const code = await rolldown(optionsOf(library));
  const names = (ending) => ({ entryFileNames: `[name].${ending}`, chunkFileNames: `[name]-[hash].${ending}` });
  await code.write({ dir: dist, format: "esm", sourcemap: true, ...names(extension) });
  // Jest, where the CommonJS files are for, has no `import()` unless it is told to.
  const cjs = { format: "cjs", exports: "named", dynamicImportInCjs: false };
  await code.write({ dir: dist, sourcemap: true, ...cjs, ...names("cjs") });
  await code.close();
  for (const name of Object.keys(inputOf(library.doors))) await exposeCallableExport(join(dist, `${name}.cjs`));
}

/** In CommonJS an export called "module.exports" means nothing by itself: make it what require() returns. */
async function exposeCallableExport(file) {
  const text = await readFile(file, "utf8");
  if (!text.includes('exports["module.exports"]')) return;
  await writeFile(
    file,
    text.replace(/\n(\/\/# sourceMappingURL)/, '\nmodule.exports = exports["module.exports"];\n$1'),
  );
}

/** Writes the declarations that belong to what {@link writeCode} writes. */
export async function writeTypes({ dist, extension = "js", ...library }) {
  const ending = DECLARATIONS[extension];
  const plugins = [dts({ cwd: library.cwd, tsconfig: false, oxc: true, emitDtsOnly: true })];
  const types = await rolldown({ ...optionsOf(library), plugins });
  await types.write({ dir: dist, format: "esm", chunkFileNames: "[name]-[hash].d.ts" });
  await types.close();
  for (const file of await readdir(dist)) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(join(dist, file), "utf8");
    // A declaration file that imports "./chunk.js" describes an ESM chunk: each kind of file has to name its own kind.
    const importing = (other) => text.replaceAll(/(from\s+"\.\/[^"]+)\.js"/g, `$1.${other}"`);
    await writeFile(join(dist, file.replace(/ts$/, "cts")), importing("cjs"));
    if (ending === "ts") continue;
    await writeFile(join(dist, file.replace(/ts$/, ending)), importing(extension));
    await rm(join(dist, file));
  }
  const doorFiles = Object.keys(inputOf(library.doors)).flatMap((door) => [`${door}.d.${ending}`, `${door}.d.cts`]);
  await addRequiredTypes(doorFiles.map((file) => join(dist, file)));
}
