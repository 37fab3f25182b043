import { socketio, type ExpressServer } from "@plugboard/express";
import type { AdapterConstructor } from "@plugboard/server";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { once } from "node:events";
import { createServer as createTlsServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import session from "express-session";
import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { startRedis, type RedisProcess } from "../adapters/redis-process.js";
import { redis as redisStores, type StoreService } from "../session/stores.js";
import { nextEvent } from "../support/next-event.js";
import { selfSignedCertificate } from "../support/self-signed-certificate.js";
import { expressVersions } from "./peers.js";
import { shopSession, startOurs } from "./recipes.js";
import { memoryOnly } from "./session-app.js";
import { clientKinds, statusOf, Visitor, type Refusal } from "./visitor.js";

const [express4, express5] = expressVersions as [(typeof expressVersions)[0], (typeof expressVersions)[0]];
const { cert: ca } = selfSignedCertificate;

/** Waits for a socket to be ended and to be refused when it comes back. */
async function endedAndRefused(socket: Socket): Promise<number> {
  const refused = nextEvent<[Refusal]>(socket, "connect_error");
  expect((await nextEvent(socket, "disconnect"))[0]).toBe("transport close");
  return statusOf((await refused)[0]);
}

async function loggedIn(url: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.post("/login");
  return visitor;
}

describe.each(expressVersions)("Express $version over HTTPS, on a server of one's own", (express) => {
  it.each(clientKinds)("$name shares a secure session, and is ended by the logout", async (kind) => {
    const app = (await express.load())();
    const server = createTlsServer(selfSignedCertificate, app);
    const io = socketio(app, { server });
    app.use(
      session({ secret: "s", store: memoryOnly(), resave: false, saveUninitialized: false, cookie: { secure: true } }),
      io.middleware({
        gate: (req, res, next) => (shopSession(req).user === undefined ? void res.sendStatus(401) : next()),
      }),
    );
    app.post("/login", (req, res) => {
      shopSession(req).user = "ada";
      res.json({});
    });
    app.post("/logout", (req, res) => void req.session.destroy(() => res.json({})));
    io.on("connection", (socket) => {
      socket.handle("secure", () => [socket.request.secure, socket.request.protocol, socket.handshake.secure]);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(async () => {
      server.closeAllConnections();
      await io.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const visitor = new Visitor(url);
    const [cookie] = await postOverTls(`${url}/login`);
    expect(cookie).toMatch(/Secure/);
    visitor.headers["cookie"] = cookie!.split(";")[0]!;
    visitor.headers["origin"] = url;
    const socket = await visitor.connect(kind, { ca });
    expect(await socket.emitWithAck("secure")).toEqual([true, "https", true]);
    const foreign = { ca, extraHeaders: { ...visitor.headers, origin: url.replace("https", "http") } };
    const [error] = await nextEvent<[Refusal]>(visitor.open(kind, foreign), "connect_error");
    expect(statusOf(error)).toBe(403);
    const ended = endedAndRefused(socket);
    await postOverTls(`${url}/logout`, visitor.headers["cookie"]);
    expect(await ended).toBe(401);
  });
});

describe("two nodes, over @socket.io/redis-adapter and connect-redis", () => {
  let redis: RedisProcess;
  let stores: StoreService;
  beforeAll(async () => {
    [redis, stores] = await Promise.all([startRedis(), redisStores.start()]);
  });
  const clients: Redis[] = [];
  afterAll(async () => {
    // Not `disconnect()`: the adapter does not wait for its `unsubscribe`, which would be rejected then.
    await Promise.all(clients.map((client) => client.quit()));
    await Promise.all([redis.remove(), stores.remove()]);
  });

  async function startNodes(): Promise<{ io: ExpressServer; url: string }[]> {
    const nodes: { io: ExpressServer; url: string }[] = [];
    for (const express of [express4, express5]) {
      const publisher = new Redis(redis.socket, { maxRetriesPerRequest: null });
      const subscriber = publisher.duplicate();
      for (const client of [publisher, subscriber]) {
        client.on("error", () => {});
        clients.push(client);
      }
      // One that subscribes while it is being looked at whether Redis is ready never gets there.
      await Promise.all([once(publisher, "ready"), once(subscriber, "ready")]);
      const adapter = createAdapter(publisher, subscriber) as unknown as AdapterConstructor;
      nodes.push(await startOurs(express, { store: await stores.open(), io: { adapter } }));
    }
    for (const { io } of nodes) {
      while ((await io.of("/").adapter.serverCount()) !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return nodes;
  }

  it.each([
    ["Express 4", "Express 5", 0, 1],
    ["Express 5", "Express 4", 1, 0],
  ])("a logout on the one of %s ends sockets on that of %s", async (_from, _to, from, to) => {
    const nodes = await startNodes();
    const here = await loggedIn(nodes[from]!.url);
    const there = new Visitor(nodes[to]!.url);
    Object.assign(there.headers, here.headers);
    const sockets = await Promise.all(clientKinds.map((kind) => there.connect(kind)));
    const ended = sockets.map(endedAndRefused);
    await here.post("/logout");
    expect(await Promise.all(ended)).toEqual([401, 401, 401, 401]);
  });

  it("a change by a request on one node reaches the sockets on the other", async () => {
    const nodes = await startNodes();
    const here = await loggedIn(nodes[0]!.url);
    const there = new Visitor(nodes[1]!.url);
    Object.assign(there.headers, here.headers);
    const changed = new Promise((resolve) => {
      nodes[1]!.io.on("connection", (socket) => socket.session.on("changed", resolve));
    });
    const socket = await there.connect(clientKinds[1]!);
    await here.post("/cart");
    expect(await changed).toMatchObject({ cart: ["book"] });
    expect(await socket.emitWithAck("data")).toMatchObject({ cart: ["book"] });
  });
});

describe.each(expressVersions)("Express $version with connection state recovery", (express) => {
  async function arrive(kind: (typeof clientKinds)[number]): Promise<{ visitor: Visitor; socket: Socket }> {
    const { io, url } = await startOurs(express, { io: { connectionStateRecovery: {} } });
    io.on("connection", (socket) => {
      // Something to be missed from on: without an event there is no offset.
      socket.emit("hello");
    });
    const visitor = await loggedIn(url);
    const socket = visitor.open(kind);
    await nextEvent(socket, "hello");
    // Cuts the connection and stays away; the server knows when nobody is there.
    socket.io.reconnection(false);
    socket.io.engine.close();
    while ((await io.fetchSockets()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    return { visitor, socket };
  }

  async function comeBack(socket: Socket): Promise<boolean> {
    const connected = nextEvent(socket, "connect");
    socket.connect();
    await connected;
    return socket.recovered;
  }

  it.each(clientKinds)("$name is recovered as long as its session lives", async (kind) => {
    const { socket } = await arrive(kind);
    expect(await comeBack(socket)).toBe(true);
  });

  it.each(clientKinds)("$name is refused after a logout, and is somebody new after another login", async (kind) => {
    const { visitor, socket } = await arrive(kind);
    await visitor.post("/logout");
    const refused = nextEvent<[Refusal]>(socket, "connect_error");
    socket.connect();
    expect(statusOf((await refused)[0])).toBe(401);
    await visitor.post("/login");
    expect(await comeBack(socket)).toBe(false);
  });
});

describe.each(expressVersions)("the cookie of express-session, with Express $version", (express) => {
  const rolling = { session: { rolling: true, cookie: { maxAge: 60_000 } } };

  it("comes with the 101 of a WebSocket and with the handshake of polling, and with no poll", async () => {
    const { url } = await startOurs(express, rolling);
    const { headers } = await loggedIn(url);
    const websocket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, { headers });
    onTestFinished(() => websocket.terminate());
    const [response] = await nextEvent<[{ headers: { "set-cookie"?: string[] } }]>(websocket, "upgrade");
    expect(response.headers["set-cookie"]).toEqual([expect.stringMatching(/^connect\.sid=.*Expires=/)]);
    const handshake = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers });
    expect(handshake.headers.getSetCookie()).toEqual([expect.stringMatching(/^connect\.sid=.*Expires=/)]);
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
    const post = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
      method: "POST",
      headers,
      body: "40",
    });
    expect([post.status, post.headers.getSetCookie()]).toEqual([200, []]);
  });
});

describe.each(expressVersions)("a request that takes its turn, with Express $version", (express) => {
  it.each(clientKinds)("gives it back when it has become the connection of $name", async (kind) => {
    const { url } = await startOurs(express, {
      // Every request, handshakes too, and nobody has it taken away.
      io: { session: { takesTurn: () => true, turnTimeoutMs: 600_000 } },
    });
    const visitor = await loggedIn(url);
    const socket = await visitor.connect(kind);
    expect(await socket.emitWithAck("count")).toBe(1);
  });
});

describe.each(expressVersions)("a restart of the server, with Express $version", (express) => {
  it.each(clientKinds)("brings $name back by itself, with its session", async (kind) => {
    const store = memoryOnly();
    const first = await startOurs(express, { store });
    const visitor = await loggedIn(first.url);
    const socket = await visitor.connect(kind);
    expect(await socket.emitWithAck("count")).toBe(1);
    const lost = nextEvent(socket, "disconnect");
    await first.io.close();
    expect(["transport close", "transport error"]).toContain((await lost)[0]);
    const back = nextEvent(socket, "connect");
    const second = await startOurs(express, { store, port: Number(new URL(first.url).port) });
    await back;
    expect(await socket.emitWithAck("count")).toBe(2);
    expect(second.server.listening).toBe(true);
  });

  it.each(clientKinds)("does not let $name back in whose session has gone with it", async (kind) => {
    const first = await startOurs(express);
    const visitor = await loggedIn(first.url);
    const socket = await visitor.connect(kind);
    const lost = nextEvent(socket, "disconnect");
    await first.io.close();
    await lost;
    await startOurs(express, { port: Number(new URL(first.url).port) });
    const status = new Promise<number>((resolve) => {
      // Until the port is open again there is no answer, and so no status.
      socket.on("connect_error", (error: Refusal) => {
        if (statusOf(error) > 0) resolve(statusOf(error));
      });
    });
    expect(await status).toBe(401);
    expect(socket.active).toBe(true);
  });
});

/** Resolves to the cookies of the answer. */
function postOverTls(url: string, cookie?: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: "POST", ca, headers: cookie === undefined ? {} : { cookie } });
    req.once("error", reject);
    req.once("response", (response) => {
      response.resume();
      response.once("end", () => resolve(response.headers["set-cookie"] ?? []));
    });
    req.end();
  });
}
