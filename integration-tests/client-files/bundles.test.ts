import { readFileSync } from "node:fs";
import { createRequire, SourceMap, type SourceMapPayload } from "node:module";
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";

const dist = new URL("../../packages/client/dist/", import.meta.url);
const textOf = (name: string): string => readFileSync(new URL(name, dist), "utf8");

const UMD = ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js"];
const ESM = ["socket.io.esm.min.js", "socket.io.websocket.esm.min.js"];
const PRODUCTION = [...UMD.slice(1), ...ESM, "index.mjs", "index.cjs", "websocket.mjs", "websocket.cjs"];

type Io = Record<"io" | "connect" | "Manager" | "Socket" | "protocol", unknown>;

/** Runs a script as a page does that has nothing but the language and these globals. */
function runScript(name: string, globals: object = {}): Record<string, Io> {
  const context = createContext({ setTimeout, clearTimeout, TextEncoder, TextDecoder, URL, ...globals });
  runInContext(textOf(name), context);
  return context as Record<string, Io>;
}

function checkLookup(io: Io | undefined): void {
  expect(io).toBeTypeOf("function");
  expect(io?.io).toBe(io);
  expect(io?.connect).toBe(io);
  expect(io?.Manager).toBeTypeOf("function");
  expect(io?.Socket).toBeTypeOf("function");
  expect(io?.protocol).toBe(5);
}

/** What a built file imports, of itself and of the chunks it shares with others. */
function importsOf(name: string, seen: Set<string> = new Set()): Set<string> {
  const found = textOf(name).matchAll(/(?:from|require\()\s*"([^"]+)"/g);
  for (const [, id = ""] of found) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (id.startsWith("./")) importsOf(id.slice(2), seen);
  }
  return seen;
}

const packagesOf = (name: string): string[] => [...importsOf(name)].filter((id) => !id.startsWith("./")).sort();

describe("a bundle for scripts", () => {
  it.each(UMD)("gives a global io: %s", (name) => {
    checkLookup(runScript(name)["io"]);
  });

  it.each(UMD)("is an AMD module: %s", (name) => {
    let defined: Io | undefined;
    const define = Object.assign((_names: unknown, factory: () => Io) => (defined = factory()), { amd: {} });
    const context = runScript(name, { define });
    checkLookup(defined);
    expect(context).not.toHaveProperty("io");
  });

  it.each(UMD)("is a CommonJS module: %s", (name) => {
    const module = { exports: {} as Io };
    const context = runScript(name, { module, exports: module.exports });
    checkLookup(module.exports);
    expect(context).not.toHaveProperty("io");
  });

  it.each(UMD)("can be required from the installed package: %s", (name) => {
    checkLookup(createRequire(import.meta.url)(`@plugboard/client/dist/${name}`) as Io);
  });
});

describe("a bundle for modules", () => {
  it("exports what socket.io-client does, and what ours has besides", async () => {
    const names = await exportsOf("socket.io.esm.min.js");
    const published =
      "Fetch Manager NodeWebSocket NodeXHR Socket WebSocket WebTransport XHR connect default io protocol";
    expect(names).toEqual([...published.split(" "), "Transport"].sort());
  });

  it("knows one transport when it is the one for websocket only", async () => {
    const names = await exportsOf("socket.io.websocket.esm.min.js");
    expect(names).toEqual("Manager Socket Transport WebSocket connect default io protocol".split(" "));
  });

  async function exportsOf(name: string): Promise<string[]> {
    const source = `data:text/javascript,${encodeURIComponent(textOf(name))}`;
    return Object.keys((await import(/* @vite-ignore */ source)) as object).sort();
  }
});

describe("what is built of the client", () => {
  it.each(PRODUCTION)("holds no trace of debugging for production: %s", (name) => {
    const chunks = [name, ...[...importsOf(name)].filter((id) => id.startsWith("./"))];
    for (const chunk of chunks) expect(textOf(chunk)).not.toMatch(/debug/i);
  });

  it("imports nothing but the protocol on the web, debug besides where that is asked for, and ws in Node alone", () => {
    for (const ending of ["mjs", "cjs"]) {
      expect(packagesOf(`index.${ending}`)).toEqual(["@plugboard/protocol"]);
      expect(packagesOf(`websocket.${ending}`)).toEqual(["@plugboard/protocol"]);
      expect(packagesOf(`debug.${ending}`)).toEqual(["@plugboard/protocol", "debug"]);
      expect(packagesOf(`node.${ending}`)).toEqual(["@plugboard/protocol", "debug", "node:http", "node:https", "ws"]);
      expect(packagesOf(`websocket-node.${ending}`)).toEqual(expect.arrayContaining(["debug", "ws"]));
    }
  });

  it.each([...UMD, ...ESM])("comes with a source map that holds its sources: %s", (name) => {
    expect(textOf(name)).toMatch(new RegExp(`\\n//# sourceMappingURL=${name}\\.map\\n?$`));
    const map = JSON.parse(textOf(`${name}.map`)) as { sources: string[]; sourcesContent: Array<string | null> };
    const manager = map.sources.findIndex((source) => source.endsWith("../src/manager.ts"));
    expect(map.sourcesContent[manager]).toContain("class ClientManager");
    // Relative, as nobody has our folders.
    expect(map.sources.filter((source) => source.startsWith("/"))).toEqual([]);
  });

  it.each([...UMD, ...ESM])("leads debuggers from any place of it to the same place of the sources: %s", (name) => {
    const payload = JSON.parse(textOf(`${name}.map`)) as SourceMapPayload;
    const lines = textOf(name).split("\n");
    for (const text of ["is a reserved event name", "operation has timed out", "No transports available"]) {
      const line = lines.findIndex((each) => each.includes(text));
      const place = new SourceMap(payload).findEntry(line, lines[line]?.indexOf(text) ?? -1);
      if (!("originalSource" in place)) throw new Error(`nothing is known of "${text}"`);
      const source = payload.sourcesContent[payload.sources.indexOf(place.originalSource)];
      expect(
        source
          ?.split("\n")
          .slice(place.originalLine, place.originalLine + 2)
          .join("\n"),
      ).toContain(text);
    }
  });

  it.each([...UMD, ...ESM])("says whose it is: %s", (name) => {
    expect(textOf(name)).toMatch(/^\/\*! Plugboard client \d+\.\d+\.\d+, MIT[^*]*\*\/\n/);
    if (name.includes("msgpack")) expect(textOf(name)).toMatch(/^.*@msgpack\/msgpack, ISC/);
    if (name === "socket.io.js") expect(textOf(name)).toMatch(/^.*debug, MIT.*ms, MIT/);
  });

  it("comes with the licences of what is inside", () => {
    for (const folder of [dist, new URL("../../packages/server/dist/client/", import.meta.url)]) {
      const text = readFileSync(new URL("third-party-licenses.txt", folder), "utf8");
      for (const name of ["debug", "ms", "@msgpack/msgpack"]) expect(text).toMatch(new RegExp(`^${name}$`, "m"));
      expect(text).toMatch(/Josh Junon[^]*Vercel[^]*The MessagePack Community/);
    }
  });
});
