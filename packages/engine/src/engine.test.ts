import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { MemoryRequest, RawPollingPeer, RawWebSocketPeer } from "@plugboard/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { Engine, type AttachOptions, type EngineOptions, type Session } from "./index.js";

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(options?: EngineOptions & AttachOptions) {
  const server = createServer((_req, res) => void res.writeHead(404).end("not ours"));
  const engine = new Engine(options);
  engine.attach(server);
  const origin = await listen(server);
  closers.push(() => engine.close());
  const connected = once(engine, "connection").then(([session]) => session as Session);
  const url = `${origin}/engine.io/`;
  return { engine, server, origin, url, connected, peer: new RawPollingPeer(url) };
}

const WEBSOCKET = "?EIO=4&transport=websocket";

/** Sends bytes on a fresh connection and returns everything that comes back until the far end closes. */
function exchange(origin: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write(bytes));
    let received = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (received += chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(received));
    closers.push(() => socket.destroy());
  });
}

function upgradeRequest(path: string, extraLines = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${extraLines}\r\n`;
}

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
    const { url, engine } = await start();
    const reported: Array<{ code: number; message: string }> = [];
    engine.on("connection_error", (error: { code: number; message: string }) => reported.push(error));
    const response = await fetch(url + query);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ code, message });
    expect(reported).toMatchObject([{ code, message }]);
  });

  it.each(["POST", "PUT", "OPTIONS", "DELETE"])("answers a handshake by %s with code 2", async (method) => {
    const { url } = await start();
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

  it("refuses a request that speaks another protocol than its session, on both transports", async () => {
    const { engine, peer, url, origin } = await start();
    const { sid } = await peer.open();
    const contexts: unknown[] = [];
    engine.on("connection_error", (error: { context: unknown }) => contexts.push(error.context));
    expect((await fetch(`${url}?EIO=3&transport=polling&sid=${sid}`)).status).toBe(400);
    await exchange(origin, upgradeRequest(`/engine.io/?EIO=3&transport=websocket&sid=${sid}`));
    const mismatch = { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 };
    expect(contexts).toEqual([mismatch, mismatch]);
  });

  it("shows the words of allowRequest to the client and keeps the table's text for the event", async () => {
    const { url, engine, origin } = await start({ allowRequest: (_req, decide) => decide("not today", false) });
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

  it("refuses a handshake whose id could not be made, on both transports", async () => {
    const { engine, url } = await start();
    engine.generateId = () => Promise.reject(new Error("no more ids"));
    const reported: unknown[] = [];
    engine.on("connection_error", (error: unknown) => reported.push(error));
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(400);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
    const expected = { code: 3, context: { name: "ID_GENERATION_ERROR" } };
    expect(reported).toMatchObject([expected, expected]);
  });

  it("uses an id of the user's own, known when the client opens", async () => {
    const { engine, url } = await start();
    engine.generateId = () => "my own id";
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    expect(await peer.next()).toContain('"sid":"my own id"');
    expect(engine.clients["my own id"]?.id).toBe("my own id");
    expect(engine.clientsCount).toBe(1);
  });

  it("is not moved by a polluted Object.prototype", async () => {
    const { url } = await start();
    (Object.prototype as Record<string, unknown>)["sid"] = "polluted";
    closers.push(() => delete (Object.prototype as Record<string, unknown>)["sid"]);
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(response.status).toBe(200);
  });
});

describe("too many handshakes from one address", () => {
  it("are refused with 429 on both transports, and do not touch sessions that are open", async () => {
    const { url, peer, engine } = await start({ maxHandshakesPerSecond: 0.1 });
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

describe("attaching to an HTTP server", () => {
  it("leaves other URLs to the listeners that were there, each called once", async () => {
    const server = createServer();
    let calls = 0;
    server.on("request", () => calls++);
    server.on("request", (_req, res) => {
      calls++;
      res.end("theirs");
    });
    const engine = new Engine().attach(server);
    closers.push(() => engine.close());
    const origin = await listen(server);
    expect(await (await fetch(`${origin}/other`)).text()).toBe("theirs");
    expect(await (await fetch(`${origin}/engine.io?EIO=4&transport=polling`)).text()).toBe("theirs");
    expect(calls).toBe(4);
    expect((await fetch(`${origin}/engine.io/deep/er?EIO=4&transport=polling`)).status).toBe(200);
    expect(calls).toBe(4);
  });

  it("takes URLs without a slash behind the path when asked to", async () => {
    const { origin, engine } = await start({ addTrailingSlash: false });
    expect((await fetch(`${origin}/engine.io?EIO=4&transport=polling`)).status).toBe(200);
    expect((await fetch(`${origin}/engine.io/?EIO=4&transport=polling`)).status).toBe(200);
    expect(engine.matches("/engine.io?x")).toBe(true);
  });

  it("puts the listeners back when it is detached, those added meanwhile included", async () => {
    const server = createServer();
    const before = (): void => {};
    const meanwhile = (): void => {};
    server.on("request", before);
    const engine = new Engine().attach(server);
    server.on("request", meanwhile);
    expect(engine.matches("/engine.io/?x")).toBe(true);
    engine.detach();
    expect(server.listeners("request")).toEqual([before, meanwhile]);
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(server.listenerCount("close")).toBe(0);
  });

  it("serves two engines on one server", async () => {
    const server = createServer();
    const first = new Engine().attach(server, { path: "/first" });
    const second = new Engine().attach(server, { path: "/second/" });
    closers.push(() => (first.close(), second.close()));
    const origin = await listen(server);
    for (const path of ["/first/", "/second/"]) {
      const peer = new RawWebSocketPeer(origin + path + WEBSOCKET);
      expect(await peer.next()).toMatch(/^0/);
    }
    expect([first.clientsCount, second.clientsCount]).toEqual([1, 1]);
  });

  it("ends an upgrade that nobody takes, and leaves one alone that somebody listens for", async () => {
    const { server, origin } = await start();
    const lonely = await start({ destroyUpgradeTimeout: 10 } as AttachOptions);
    expect(await exchange(lonely.origin, upgradeRequest("/elsewhere"))).toBe("");
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (req, socket, head) => {
      if (req.url === "/theirs") others.handleUpgrade(req, socket, head, (ws) => ws.send("hello"));
    });
    const peer = new RawWebSocketPeer(`${origin}/theirs`);
    expect(await peer.next()).toBe("hello");
    peer.close();
  });

  it("survives that the client of a foreign upgrade resets its connection, whoever listens", async () => {
    const { server, origin, url } = await start();
    const seen = once(server, "upgrade");
    const socket = connect(Number(new URL(origin).port), "127.0.0.1", () => socket.write(upgradeRequest("/theirs")));
    const [, theirs] = (await seen) as [unknown, Socket];
    const closed = new Promise((resolve) => theirs.on("close", resolve));
    socket.resetAndDestroy();
    await closed;
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(200);
  });

  it("serves again after the HTTP server was closed and listens anew", async () => {
    const { server, engine } = await start();
    server.close();
    await once(server, "close");
    const origin = await listen(server);
    const peer = new RawWebSocketPeer(`${origin}/engine.io/${WEBSOCKET}`);
    expect(await peer.next()).toMatch(/^0/);
    expect(engine.clientsCount).toBe(1);
  });

  it("answers a plain GET on the upgrade path, an upgrade without query and an upgrade without key", async () => {
    const { origin } = await start();
    expect(await exchange(origin, upgradeRequest("/engine.io/"))).toMatch(/400 Bad Request[^]*Transport unknown$/);
    const withoutKey = upgradeRequest(`/engine.io/${WEBSOCKET}`).replace(/Sec-WebSocket-Key.*\r\n/, "");
    expect(await exchange(origin, withoutKey)).toContain("400 Bad Request");
  });

  it("answers an upgrade to polling with a WebSocket that closes at once", async () => {
    const { url } = await start();
    const peer = new RawWebSocketPeer(`${url}?EIO=4&transport=polling`);
    expect(await peer.closed).toBe(1005);
  });
});

describe("middlewares", () => {
  it("run in order for requests and upgrades, and their header fields get through", async () => {
    const { engine, url, origin } = await start();
    const order: string[] = [];
    engine.use((req, res, next) => {
      order.push(`first ${(req as unknown as { _query: { transport: string } })._query.transport}`);
      res.setHeader("x-one", ["1", "2"]);
      next();
    });
    engine.use((_req, _res, next) => {
      order.push("second");
      next();
      next();
    });
    const polled = await fetch(`${url}?EIO=4&transport=polling`);
    expect(polled.headers.get("x-one")).toBe("1, 2");
    const refused = await fetch(url);
    expect(refused.headers.get("x-one")).toBe("1, 2");
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string> }];
    expect(response.headers["x-one"]).toBe("1, 2");
    expect(order).toEqual(["first polling", "second", "first undefined", "second", "first websocket", "second"]);
    expect(origin).toBeTruthy();
  });

  it.each([
    ["passes an error on", (next: (error?: unknown) => void) => next(new Error("no"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
  ])("one that %s refuses the request", async (_what, fail) => {
    const { engine, url } = await start();
    engine.use((_req, _res, next) => fail(next) as void);
    const reported = once(engine, "connection_error");
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    expect(await response.json()).toEqual({ code: 3, message: "Bad request" });
    expect((await reported)[0]).toMatchObject({ context: { name: "MIDDLEWARE_FAILURE" } });
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow("400");
  });

  it("one that answers by itself keeps the request", async () => {
    const { engine, url } = await start();
    engine.use((_req, res) => void res.writeHead(503).end("later"));
    let connections = 0;
    engine.on("connection", () => connections++);
    expect((await fetch(`${url}?EIO=4&transport=polling`)).status).toBe(503);
    await expect(new RawWebSocketPeer(url + WEBSOCKET).opened()).rejects.toThrow();
    expect(connections).toBe(0);
  });

  it("cors answers preflights and marks refusals too", async () => {
    const { url } = await start({ cors: { origin: "http://good.example", credentials: true } });
    const preflight = await fetch(url, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("http://good.example");
    const refused = await fetch(url);
    expect(refused.status).toBe(400);
    expect(refused.headers.get("access-control-allow-credentials")).toBe("true");
  });
});

describe("header fields", () => {
  it("are announced once for the handshake and once for every answer", async () => {
    const { engine, peer, url } = await start();
    const log: string[] = [];
    engine.on("flush", () => log.push("flush"));
    engine.on("initial_headers", (headers: Record<string, string>) => {
      log.push("initial_headers");
      headers["x-initial"] = "yes";
    });
    engine.on("headers", () => log.push("headers"));
    engine.on("drain", () => log.push("drain"));
    engine.on("connection", () => log.push("connection"));
    await peer.open();
    expect(log.splice(0)).toEqual(["flush", "initial_headers", "headers", "drain", "connection"]);
    await peer.post("4a");
    expect(log.splice(0)).toEqual(["headers"]);
    const socket = new RawWebSocketPeer(url + WEBSOCKET);
    const [response] = (await once(socket.socket, "upgrade")) as [{ headers: Record<string, string> }];
    expect(response.headers["x-initial"]).toBe("yes");
    expect(log).toEqual(["initial_headers", "headers", "flush", "drain", "connection"]);
  });

  it("carry the cookie of the engine and that of a listener, on polling handshakes alone", async () => {
    const { engine, url } = await start({ cookie: true });
    engine.on("initial_headers", (headers: Record<string, string>) => (headers["set-cookie"] = "mine=1"));
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
    expect(response.headers.getSetCookie()).toEqual([`io=${sid}; Path=/; HttpOnly; SameSite=Lax`, "mine=1"]);
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const [upgrade] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string[]> }];
    expect(upgrade.headers["set-cookie"]).toEqual(["mine=1"]);
  });

  it("given to handleUpgrade are added to the 101 answer", async () => {
    const server = createServer();
    const engine = new Engine();
    closers.push(() => engine.close());
    server.on("upgrade", (req, socket, head) =>
      engine.handleUpgrade(req, socket, head, { headers: { "Set-Cookie": ["a=1", "b=2"] } }),
    );
    const origin = await listen(server);
    const peer = new RawWebSocketPeer(`${origin}/engine.io/${WEBSOCKET}`);
    const [response] = (await once(peer.socket, "upgrade")) as [{ headers: Record<string, string[]> }];
    expect(response.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(await peer.next()).toMatch(/^0/);
  });
});

describe("polling over Node's http", () => {
  it("carries text and binary both ways, whole characters even when they come in pieces", async () => {
    const { origin, connected, peer } = await start();
    await peer.open();
    const session = await connected;
    const received: unknown[] = [];
    session.on("message", (data: unknown) => received.push(data));
    const body = Buffer.from("4€𝔘\x1ebAQID");
    const upload = httpRequest(`${origin}${new URL(peer.url()).pathname}${new URL(peer.url()).search}`, {
      method: "POST",
    });
    // Without a Content-Length, the body goes in chunks: one byte each here.
    for (const byte of body) upload.write(Buffer.from([byte]));
    upload.end();
    await once(upload, "response");
    expect(received).toEqual(["€𝔘", Buffer.from([1, 2, 3])]);
    session.send("€𝔘");
    session.send(Buffer.from([1, 2, 3]));
    expect((await peer.poll()).body).toBe("4€𝔘\x1ebAQID");
  });

  it("ends the session when the client drops its poll", async () => {
    const { connected, peer } = await start();
    await peer.open();
    const session = await connected;
    const abort = new AbortController();
    const poll = peer.poll({ signal: abort.signal }).catch(() => "aborted");
    await new Promise((resolve) => setImmediate(resolve));
    const waitUntilPending = (): Promise<void> =>
      session.transport.writable
        ? Promise.resolve()
        : new Promise((resolve) => setImmediate(resolve)).then(waitUntilPending);
    await waitUntilPending();
    const closed = once(session, "close");
    abort.abort();
    expect(await closed).toMatchObject(["transport error", { message: "poll connection closed prematurely" }]);
    expect(await poll).toBe("aborted");
  });

  it("ends the session when the client has dropped its poll before a slow middleware lets it through", async () => {
    const { engine, connected, peer, url } = await start();
    let letThrough: (() => void) | undefined;
    let gone: Promise<unknown> | undefined;
    engine.use((req, res, next) => {
      if (!req.url?.includes("sid=")) return next();
      gone = once(res, "close");
      letThrough = () => next();
    });
    await peer.open();
    const session = await connected;
    const abort = new AbortController();
    const poll = fetch(`${url}?EIO=4&transport=polling&sid=${peer.sid}`, { signal: abort.signal }).catch(() => "gone");
    while (letThrough === undefined) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await Promise.all([poll, gone]);
    const closed = once(session, "close");
    letThrough();
    expect((await closed)[0]).toBe("transport error");
  });

  it("answers an oversized body with 413 and keeps the session", async () => {
    const { peer, connected } = await start({ maxHttpBufferSize: 100 });
    await peer.open();
    const session = await connected;
    expect(await peer.post("4" + "a".repeat(100_000))).toEqual({ status: 413, body: "" });
    expect(session.readyState).toBe("open");
    expect(await peer.post("4a")).toEqual({ status: 200, body: "ok" });
  });

  it("compresses a large answer as a stream", async () => {
    const { peer, connected } = await start();
    await peer.open();
    const session = await connected;
    session.send("a".repeat(5000));
    const { headers, body } = await peer.poll();
    expect(headers.get("content-encoding")).toBe("gzip");
    expect(body).toBe("4" + "a".repeat(5000));
  });

  it("lets the HTTP server close while polls are pending", async () => {
    const { server, engine, peer } = await start();
    await peer.open();
    const poll = peer.poll();
    await once(server, "request");
    await new Promise((resolve) => setImmediate(resolve));
    engine.close();
    const closed = once(server, "close");
    server.close();
    const { body, headers } = await poll;
    expect([body, headers.get("connection")]).toEqual(["1", "close"]);
    await closed;
  });
});

describe("websocket", () => {
  it("carries text and binary both ways", async () => {
    const { url, connected } = await start();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    session.on("message", (data: string | Buffer) => session.send(data));
    expect(await peer.next()).toContain('"upgrades":[]');
    const large = new Uint8Array(100_000).fill(7);
    for (const frame of ["4a", "4é", new Uint8Array([1, 2]), large, "4" + "b".repeat(70_000)]) {
      peer.send(frame);
      expect(await peer.next()).toEqual(frame);
    }
  });

  it("goes through the messages of ws when compression was negotiated", async () => {
    const { url, connected } = await start({ perMessageDeflate: { threshold: 0 } });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    expect(peer.socket.extensions).toBe("");
    await peer.next();
    expect(peer.socket.extensions).toBe("permessage-deflate");
    session.send("a".repeat(2000));
    session.send(Buffer.alloc(2000));
    expect(await peer.next()).toBe("4" + "a".repeat(2000));
    expect(await peer.next()).toEqual(new Uint8Array(2000));
  });

  it("works with a WebSocket engine of the user's choice", async () => {
    class OtherEngine extends WebSocketServer {}
    const { url, connected } = await start({ wsEngine: OtherEngine as never });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.next();
    session.send("a", () => session.send("written"));
    expect(await peer.next()).toBe("4a");
    expect(await peer.next()).toBe("4written");
  });

  it("tells what waits for a client that does not read, and when nothing waits any more", async () => {
    const { url, connected } = await start();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.next();
    peer.socket.pause();
    const frame = "x".repeat(100_000);
    let count = 0;
    while (session.bufferedAmount === 0) {
      session.send(frame);
      count++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const idle = once(session, "idle");
    peer.socket.resume();
    await idle;
    expect(session.bufferedAmount).toBe(0);
    for (let index = 0; index < count; index++) expect((await peer.next()).length).toBe(frame.length + 1);
  });

  it("sends what was queued before the close frame", async () => {
    const { url, connected } = await start();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    session.send("a");
    session.send("b");
    session.close();
    await peer.next();
    expect([await peer.next(), await peer.next()]).toEqual(["4a", "4b"]);
    expect(await peer.closed).toBe(1005);
  });

  it("is cut a second after the close frame when the client does not answer it", async () => {
    const { engine, server, origin, connected } = await start();
    const bytes = exchange(origin, upgradeRequest(`/engine.io/${WEBSOCKET}`));
    await connected;
    engine.close();
    const closed = once(server, "close");
    server.close();
    await closed;
    expect(await bytes).toMatch(/\x88\x00$/);
  });

  it("answers pings of the WebSocket layer behind what was sent before", async () => {
    const { url, connected } = await start();
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    await peer.opened();
    await connected;
    peer.socket.ping("are you there");
    expect(String((await once(peer.socket, "pong"))[0])).toBe("are you there");
  });

  it("ends with the reason of ws when a message is too large", async () => {
    const { url, connected } = await start({ maxHttpBufferSize: 100 });
    const peer = new RawWebSocketPeer(url + WEBSOCKET);
    const session = await connected;
    await peer.opened();
    const closed = once(session, "close");
    peer.send("4" + "a".repeat(100));
    expect(await peer.closed).toBe(1009);
    expect(await closed).toMatchObject(["transport error", { message: "RangeError: Max payload size exceeded" }]);
  });

  it.each(["fresh", "upgrading"])("survives garbage after the upgrade of a %s session", async (kind) => {
    const { origin, peer, engine } = await start();
    const sid = kind === "fresh" ? "" : `&sid=${(await peer.open()).sid}`;
    const head = upgradeRequest(`/engine.io/${WEBSOCKET}${sid}`);
    const answer = await exchange(origin, head + "\xff\xff\xff\xff");
    expect(answer).toContain("101 Switching Protocols");
    expect(engine.clientsCount).toBe(kind === "fresh" ? 0 : 1);
  });
});

describe("the upgrade", () => {
  async function startUpgrade(options?: EngineOptions) {
    const context = await start(options);
    const { sid } = await context.peer.open();
    const session = await context.connected;
    const socket = new RawWebSocketPeer(`${context.url}${WEBSOCKET}&sid=${sid}`);
    await socket.opened();
    return { ...context, session, socket, sid };
  }

  it("probes, releases the pending poll, and moves the session over", async () => {
    const { peer, session, socket } = await startUpgrade();
    const upgrading = once(session, "upgrading");
    const poll = peer.poll();
    socket.send("2probe");
    expect(await socket.next()).toBe("3probe");
    await upgrading;
    expect((await poll).body).toBe("6");
    session.send("while probing");
    const upgraded = once(session, "upgrade");
    socket.send("5");
    expect((await upgraded)[0]).toMatchObject({ name: "websocket" });
    expect(await socket.next()).toBe("4while probing");
    expect(session.upgraded).toBe(true);
    expect(session.transport.name).toBe("websocket");
    expect(await peer.poll()).toMatchObject({ status: 400, body: '{"code":3,"message":"Bad request"}' });
  });

  it("answers a poll that comes while probing", async () => {
    const { peer, socket } = await startUpgrade();
    socket.send("2probe");
    await socket.next();
    expect((await peer.poll()).body).toBe("6");
    expect((await peer.poll()).body).toBe("6");
  });

  it("is given up when the candidate says something else, and polling goes on", async () => {
    const { peer, session, socket } = await startUpgrade();
    socket.send("4hello");
    await socket.closed;
    expect(session.upgrading).toBe(false);
    session.send("still polling");
    expect((await peer.poll()).body).toBe("4still polling");
  });

  it("is given up after the timeout", async () => {
    const { session, socket } = await startUpgrade({ upgradeTimeout: 20 });
    await socket.closed;
    expect(session.upgrading).toBe(false);
    expect(session.readyState).toBe("open");
  });

  it("closes a second candidate and leaves the session alone", async () => {
    const { url, sid, session, socket } = await startUpgrade();
    const second = new RawWebSocketPeer(`${url}${WEBSOCKET}&sid=${sid}`);
    expect(await second.closed).toBe(1005);
    const upgraded = once(session, "upgrade");
    socket.send("5");
    await upgraded;
    const third = new RawWebSocketPeer(`${url}${WEBSOCKET}&sid=${sid}`);
    expect(await third.closed).toBe(1005);
    expect(session.readyState).toBe("open");
  });

  it("ends with the session", async () => {
    const { session, socket } = await startUpgrade();
    session.close(true);
    await socket.closed;
    expect(session.upgrading).toBe(false);
  });

  it("delivers what was queued while probing also when the session is being closed", async () => {
    const { peer, session, socket } = await startUpgrade();
    const poll = peer.poll();
    socket.send("2probe");
    await socket.next();
    await poll;
    session.send("last words");
    session.close();
    const closed = once(session, "close");
    socket.send("5");
    expect(await socket.next()).toBe("4last words");
    expect(await socket.closed).toBe(1005);
    expect((await closed)[0]).toBe("forced close");
  });

  it("closes the new transport when the session was being closed with nothing left to say", async () => {
    const { session, socket } = await startUpgrade();
    session.close();
    socket.send("5");
    expect(await socket.closed).toBe(1005);
    expect(session.readyState).toBe("closed");
  });

  it("does not lose the deadline of a pong that is outstanding", async () => {
    const { peer, session, socket } = await startUpgrade({ pingInterval: 50, pingTimeout: 100 });
    expect((await peer.poll()).body).toBe("2");
    socket.send("5");
    expect(await once(session, "close")).toEqual(["ping timeout", undefined]);
  });

  it("neither loses nor reorders 500 messages each way", async () => {
    const { peer, session, socket } = await startUpgrade();
    const received: string[] = [];
    session.on("message", (data: string) => received.push(data));
    const got: string[] = [];
    const collect = (payload: string): void => {
      for (const packet of payload.split("\x1e")) if (packet.startsWith("4")) got.push(packet.slice(1));
    };
    let sent = 0;
    const sendSome = (): void => {
      for (let count = 0; count < 50; count++) session.send(String(sent++));
    };
    for (let batch = 0; batch < 5; batch++) {
      sendSome();
      await peer.post(Array.from({ length: 50 }, (_, index) => `4${batch * 50 + index}`).join("\x1e"));
      if (batch === 1) socket.send("2probe");
      sendSome();
      collect((await peer.poll()).body);
    }
    expect(await socket.next()).toBe("3probe");
    sendSome();
    socket.send("5");
    for (let index = 250; index < 500; index++) socket.send(`4${index}`);
    while (got.length < sent) collect(String(await socket.next()));
    expect(got).toEqual(Array.from({ length: sent }, (_, index) => String(index)));
    if (received.length < 500) {
      await new Promise<void>((resolve) => session.on("message", () => received.length === 500 && resolve()));
    }
    expect(received).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
  });
});
