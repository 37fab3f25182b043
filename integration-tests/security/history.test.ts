import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Server } from "@plugboard/server";
import { ask, askRaw, requestBytes, UPGRADE_HEADERS } from "../support/abusive-client.js";
import { serve } from "../support/serve.js";
import { ENTRIES, LATER } from "./entries.js";

/** Titles of this folder's tests that begin with an entry. */
function entriesTested(): string[] {
  const folder = new URL(".", import.meta.url);
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"));
  const titles = sources.flatMap((source) => [...source.matchAll(/^ *it\(\s*"([^"]+)"/gm)].map(([, title]) => title!));
  return titles
    .map((title) => ENTRIES.find((entry) => title.startsWith(`${entry}: `)))
    .filter((entry) => entry !== undefined);
}

describe("the security history", () => {
  it("has one test for each entry", () => {
    expect(entriesTested().toSorted()).toEqual([...ENTRIES].toSorted());
  });

  it("waits for three sections and for nothing else", () => {
    expect(LATER.map(({ section }) => section)).toEqual(["1.19", "1.20", "1.21"]);
    for (const { entry } of LATER) expect(ENTRIES).toContain(entry);
  });
});

describe("what the security history waits for is still refused", () => {
  it("1.19: protocol 3, even where it was asked for", async () => {
    const { port } = await serve({ allowEIO3: true });
    const path = "/socket.io/?EIO=3&transport=";
    expect((await ask(port, "GET", `${path}polling`)).status).toBe(400);
    expect((await askRaw(port, requestBytes("GET", `${path}websocket`, UPGRADE_HEADERS))).status).toBe(400);
  });

  it("1.20: WebTransport, even where it was asked for", async () => {
    const { port, io } = await serve({ transports: ["polling", "websocket", "webtransport"] });
    const path = "/socket.io/?EIO=4&transport=webtransport";
    expect((await ask(port, "GET", path)).status).toBe(400);
    expect((await askRaw(port, requestBytes("GET", path, UPGRADE_HEADERS))).status).toBe(400);
    expect(io.engine).not.toHaveProperty("onWebTransportSession");
  });

  it("1.21: uWebSockets.js", () => {
    expect(new Server()).not.toHaveProperty("attachApp");
  });
});
