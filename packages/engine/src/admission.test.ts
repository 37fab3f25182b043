import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { exchange, listen, MemoryRequest, RawWebSocketPeer, startEngine, upgradeRequest } from "@plugboard/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Engine } from "./index.js";

const WEBSOCKET = "?EIO=4&transport=websocket";

describe("verification of requests", () => {
  it.each([
    ["", 0, "Transport unknown"],
    ["?transport=constructor", 0, "Transport unknown"],
    ["?transport=__proto__", 0, "Transport unknown"],
    ["?transport=webtransport&EIO=4", 0, "Transport unknown"],
    ["?transport=polling&EIO=4&sid=nope", 1, "Session ID unknown"],
    ["?transport=polling&EIO=4&sid=__proto__", 1, "Session ID unknown"],
    ["?transport=websocket&EIO=4", 3, "Bad request"],
    ["?transport=polling&EIO=3", 5, "Unsupported protocol version"],
    ["?transport=polling", 5, "Unsupported protocol version"],
  ])("answers %s with code %i", async (query, code, message) => {
    const { url, engine } = await startEngine();
    const reported: Array<{ code: number; message: string }> = [];
    engine.on("connection_error", (error: { code: number; message: string }) => reported.push(error));
    const response = await fetch(url + query);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ code, message });
    expect(reported).toMatchObject([{ code, message }]);
  });

  it.each(["POST", "PUT", "OPTIONS", "DELETE"])("answers a handshake by %s with code 2", async (method) => {
    const { url } = await startEngine();
    const response = await fetch(`${url}?EIO=4&transport=polling`, { method });
    expect(await response.json()).toEqual({ code: 2, message: "Bad handshake method" });
  });

  it.each(["http://a\x7fb", "http://a\x00b", "http://\u20ac"])(
    "refuses the origin %j, which no header may hold",
    async (origin) => {
      const engine = new Engine();
      const refused = once(engine, "connection_error");
      const answer = await engine.handle(
        new MemoryRequest("/engine.io/?EIO=4&transport=polling", { headers: { origin } }),
      );
      expect(answer.status).toBe(400);
      expect((await refused)[0]).toMatchObject({ code: 3, context: { name: "INVALID_ORIGIN", origin } });
    },
  );

  it("takes an origin that no header may hold off the request, on both transports", async () => {
    // Node itself lets none through, unless it is told to be lenient.
    const server = createServer({ insecureHTTPParser: true });
    const engine = new Engine().attach(server);
    const origin = await listen(server);
    const seen: unknown[] = [];
    engine.on("connection_error", ({ req }: { req: IncomingMessage }) => seen.push(req.headers.origin));
    const field = "Origin: http://a\x01b\r\n";
    await exchange(
      origin,
      `GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${field}\r\n`,
    );
    await exchange(origin, upgradeRequest("/engine.io/?EIO=4&transport=websocket", field));
    expect(seen).toEqual([null, null]);
  });

  it("refuses a request that speaks another protocol than its session, on both transports", async () => {
    const { engine, peer, url, origin } = await startEngine();
    const { sid } = await peer.open();
    const contexts: unknown[] = [];
    engine.on("connection_error", (error: { context: unknown }) => contexts.push(error.context));
    expect((await fetch(`${url}?EIO=3&transport=polling&sid=${sid}`)).status).toBe(400);
    await exchange(origin, upgradeRequest(`/engine.io/?EIO=3&transport=websocket&sid=${sid}`));
    const mismatch = { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 };
    expect(contexts).toEqual([mismatch, mismatch]);
  });

  it("shows the words of allowRequest to the client and keeps the table's text for the event", async () => {
    const { url, engine, origin } = await startEngine({ allowRequest: (_req, decide) => decide("not today", false) });
    const reported: unknown[] = [];
    engine.on("connection_error", (error: unknown) => reported.push(error));
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ code: 4, message: "not today" });
    const refused = await exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`));
    expect(refused).toBe(
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: 9\r\n\r\nnot today",
    );
    const expected = { code: 4, message: "Forbidden", context: { message: "not today" } };
    expect(reported).toMatchObject([expected, expected]);
  });

  it("refuses with the status and the header fields that allowRequest names, on both transports", async () => {
    const { url, origin } = await startEngine({
      allowRequest: (_req, decide) =>
        decide("come back later", false, { status: 429, headers: { "Retry-After": "7", "X-Why": ["a", "b"] } }),
    });
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(response.headers.get("x-why")).toBe("a, b");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ code: 4, message: "come back later" });
    expect(await exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`))).toBe(
      "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 7\r\nX-Why: a\r\nX-Why: b\r\n" +
        "Content-type: text/html\r\nContent-Length: 15\r\n\r\ncome back later",
    );
  });

  it.each([200, 302, 600, NaN])("takes a refusal with status %d for one without", async (status) => {
    const { url, origin } = await startEngine({ allowRequest: (_req, decide) => decide("no", false, { status }) });
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(403);
    expect(await exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`))).toContain("HTTP/1.1 400 Bad Request");
  });

  it("drops an upgrade whose refusal has a header field that would end its line, and tells of it", async () => {
    const failures: unknown[] = [];
    const { origin } = await startEngine({
      allowRequest: (_req, decide) => decide("no", false, { headers: { "X-Why": "a\r\nX-Other: b" } }),
      onListenerError: ({ event }) => failures.push(event),
    });
    expect(await exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`))).toBe("");
    expect(failures).toEqual(["upgrade"]);
  });

  it("refuses a handshake whose id could not be made, on both transports", async () => {
    const { engine, url } = await startEngine();
    engine.generateId = () => Promise.reject(new Error("no more ids"));
    const reported: unknown[] = [];
    engine.on("connection_error", (error: unknown) => reported.push(error));
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
    const expected = { code: 3, context: { name: "ID_GENERATION_ERROR" } };
    expect(reported).toMatchObject([expected, expected]);
  });

  it("uses an id of the user's own, known when the client opens", async () => {
    const { engine, url } = await startEngine();
    engine.generateId = () => "my own id";
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    expect(await peer.next()).toContain('"sid":"my own id"');
    expect(engine.clients["my own id"]?.id).toBe("my own id");
    expect(engine.clientsCount).toBe(1);
  });

  it("is not moved by a polluted Object.prototype", async () => {
    const { url } = await startEngine();
    (Object.prototype as Record<string, unknown>)["sid"] = "polluted";
    onTestFinished(() => void delete (Object.prototype as Record<string, unknown>)["sid"]);
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(response.status).toBe(200);
  });
});

describe("too many handshakes from one address", () => {
  it("are refused with 429 on both transports, and do not touch sessions that are open", async () => {
    const { url, peer, engine } = await startEngine({ maxHandshakesPerSecond: 0.1 });
    const contexts: unknown[] = [];
    engine.on("connection_error", (error: unknown) => contexts.push(error));
    await peer.open();
    const refused = await fetch(`${url}?EIO=4&transport=polling`);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toEqual({ code: 4, message: "Too many handshakes" });
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("429");
    expect(contexts).toMatchObject(Array(2).fill({ code: 4, context: { name: "TOO_MANY_HANDSHAKES" } }));
    expect((await peer.post("4a")).body).toBe("ok");
  });
});
