// The files of the client for a `<script>` or a CDN: everything in one file, named as those of `socket.io-client`.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { minify as oxc } from "rolldown/experimental";
import { minify as terser } from "terser";
import { shortFields } from "./build-library.mjs";

/** Those that the server serves, in the order of `packages/server/src/client-files.ts`. */
const SERVED = [
  { file: "socket.io.js", format: "umd", debug: true, minify: false },
  { file: "socket.io.min.js", format: "umd" },
  { file: "socket.io.esm.min.js", format: "esm" },
  { file: "socket.io.msgpack.min.js", format: "umd", parser: "msgpack" },
];
const BUNDLES = [...SERVED, { file: "socket.io.websocket.esm.min.js", format: "esm", door: "websocket" }];

const UMD_ENTRY = (door) => `export { io as default } from ${door};`;
/** An export of that name says something to Node only. */
const ESM_ENTRY = (door, names) => `export { ${names.filter((name) => name !== "module.exports")} } from ${door};`;

/** Around a bundle for scripts: it is what `require()` returns, an AMD module, or a global. */
const UMD = {
  // Our modules are strict, and a script is not by itself.
  banner: `((make) => {
  if (typeof exports === "object" && typeof module === "object") module.exports = make();
  else if (typeof define === "function" && define.amd) define([], make);
  else globalThis.io = make();
})(() => {
"use strict";`,
  footer: "return io;\n});",
};

/** Code of others that is inside: by the reason why, a line for the banner, and the packages with their licences. */
const INCLUDED = {
  debug: { notice: "debug, MIT, (c) TJ Holowaychuk, Josh Junon; ms, MIT, (c) Vercel", packages: ["debug", "ms"] },
  msgpack: { notice: "@msgpack/msgpack, ISC, (c) The MessagePack Community", packages: ["@msgpack/msgpack"] },
};
const LICENSES = "third-party-licenses.txt";

/** Names of the files that the server serves, and of the licences to keep with them. */
export const servedFiles = [...SERVED.flatMap(({ file }) => [file, `${file}.map`]), LICENSES];

/**
 * Writes the bundles and their source maps.
 *
 * @param folders `cwd`: that of the client; `dist`: where to write
 */
export async function writeBundles({ cwd, dist }) {
  const { version } = JSON.parse(await readFile(join(cwd, "package.json"), "utf8"));
  for (const bundle of BUNDLES) await writeBundle(cwd, dist, version, bundle);
  await writeFile(join(dist, LICENSES), await licenses(cwd));
  // The package is one of ES modules: without it a UMD file could not be required.
  await writeFile(join(dist, "package.json"), '{ "type": "commonjs" }\n');
}

async function writeBundle(cwd, dist, version, { file, format, door = "index", parser, debug = false, minify = true }) {
  const entry = join(cwd, "src", `${door}.ts`);
  const names = format === "esm" ? await exportsOf(entry) : [];
  const makeEntry = format === "esm" ? ESM_ENTRY : UMD_ENTRY;
  const bundle = await rolldown({
    cwd,
    input: "bundle-entry",
    platform: "browser",
    tsconfig: false,
    resolve: { alias: sourcesOf(cwd), extensionAlias: { ".js": [".ts"] } },
    transform: { ...shortFields, define: { PLUGBOARD_DEBUG: String(debug) }, target: "es2022" },
    treeshake: { propertyReadSideEffects: false },
    plugins: [virtualEntry(makeEntry(JSON.stringify(entry), names)), parser === undefined ? [] : withParser(parser)],
  });
  const included = [debug && INCLUDED.debug, parser && INCLUDED[parser]].filter(Boolean);
  const banner = `/*! Plugboard client ${version}, MIT${included.map(({ notice }) => `; ${notice}`).join("")} */`;
  await bundle.write({
    file: join(dist, file),
    ...(format === "umd" ? { format: "iife", name: "io", exports: "default", ...UMD } : { format, exports: "named" }),
    sourcemap: true,
    codeSplitting: false,
    // Nobody bundles these again; the licences inside are named by the banner.
    comments: !minify,
    ...(!minify && { postBanner: banner }),
  });
  await bundle.close();
  if (minify) await shorten(join(dist, file), banner, format);
}

/**
 * Minifies a bundle where it lies, in two passes that each find what the other does not: Terser shortens names that begin
 * with an underscore, which are our own affair (one of them is a word of the protocol), and Oxc all other names.
 */
async function shorten(path, banner, format) {
  const module = format === "esm";
  const source = await readFile(path, "utf8");
  const first = await terser(source, {
    module: true,
    ecma: 2020,
    // Code that is repeated compresses better than code that is shared by means of variables.
    compress: { passes: 3, inline: 1, unsafe_arrows: true, unsafe_methods: true, pure_getters: true },
    mangle: { properties: { regex: OUR_NAMES } },
    nameCache: shortNames(source),
    format: { comments: false },
    sourceMap: { content: await readFile(`${path}.map`, "utf8"), asObject: true },
  });
  const { code, map, errors } = await oxc(basename(path), first.code, {
    module,
    compress: true,
    mangle: { toplevel: module },
    codegen: true,
    sourcemap: true,
    inputMap: first.map,
  });
  if (errors.length > 0) throw new AggregateError(errors, `${path} cannot be minified`);
  await writeFile(path, `${banner}\n${code}\n//# sourceMappingURL=${basename(path)}.map`);
  // The banner is a line more.
  await writeFile(`${path}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
}

/** Names of properties that nobody sees. The one that is left out is a word of the protocol. */
const OUR_NAMES = /^_(?!placeholder$)/;
/** By how often they occur in what is written here; longer names begin with what no name of a property does. */
const LETTERS = "etnriaosclhupdfmgvbywxkqjzETSCAPOIMLDRNBUFHGVWKXJYQZ_$";

/** The shortest names for what occurs most often, in the form that Terser keeps them in. */
function shortNames(source) {
  const counts = new Map();
  for (const [name] of source.matchAll(/\b_\w+/g)) {
    if (OUR_NAMES.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const short = (index) => LETTERS[index] ?? "$" + short(index - LETTERS.length);
  return { props: { props: Object.fromEntries(names.map((name, index) => ["$" + name, short(index)])) } };
}

/** What the licences of included code want to be handed on with it. */
async function licenses(cwd) {
  const texts = [];
  for (const name of Object.values(INCLUDED).flatMap(({ packages }) => packages)) {
    const require = createRequire(join(cwd, "../msgpack/package.json"));
    const folder = dirname(require.resolve(`${name}/package.json`));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    texts.push(`${name}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`);
  }
  return texts.join("\n\n");
}

/** A bundle is made of the sources of all packages, not of what was built of them. */
function sourcesOf(cwd) {
  const names = ["protocol", "msgpack"];
  return Object.fromEntries(names.map((name) => [`@plugboard/${name}`, join(cwd, "..", name, "src/index.ts")]));
}

/** The names that an entry file exports. */
async function exportsOf(entry) {
  const build = await rolldown({ input: entry, external: /^[^./]/, resolve: { extensionAlias: { ".js": [".ts"] } } });
  const { output } = await build.generate({ format: "esm" });
  await build.close();
  return output[0].exports;
}

function virtualEntry(code) {
  return {
    name: "entry",
    resolveId: (id) => (id === "bundle-entry" ? "\0bundle-entry" : undefined),
    load: (id) => (id === "\0bundle-entry" ? code : undefined),
  };
}

/** Puts another parser where the manager looks for that of the protocol, which is then left out. */
function withParser(parser) {
  const names = "Decoder as PacketDecoder, Encoder";
  const code = `export * from "@plugboard/protocol"; export { ${names} } from "@plugboard/${parser}";`;
  return {
    name: "parser",
    resolveId: (id, importer) =>
      id === "@plugboard/protocol" && importer?.endsWith("/src/manager.ts") ? "\0parser" : undefined,
    load: (id) => (id === "\0parser" ? code : undefined),
    generateBundle(_options, output) {
      const modules = Object.values(output).flatMap((chunk) => Object.keys(chunk.modules ?? {}));
      if (modules.some((id) => /protocol\/src\/(packet-decoder|encoder)\.ts$/.test(id))) {
        this.error("the manager takes the default parser by other names than those replaced here");
      }
    },
  };
}
