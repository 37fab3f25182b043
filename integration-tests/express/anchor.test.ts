import type { ExpressSocket } from "@plugboard/express";
import type { Express, RequestHandler } from "express";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server as PublishedServer, type Socket as PublishedSocket } from "socket.io";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { nextEvent } from "../support/next-event.js";
import { whenWritable } from "../support/when-writable.js";
import { expressVersions, loadPeer } from "./peers.js";
import { listening, startOurs, startRecipe, type Shop } from "./recipes.js";
import { expireSoon } from "./session-app.js";
import { startApp } from "./start-app.js";
import { clientKinds, statusOf, Visitor, type ClientKind, type Refusal } from "./visitor.js";

const [stockOverPolling, stockOverWebSocket] = clientKinds as [ClientKind, ClientKind];

async function loggedIn({ url }: Pick<Shop, "url">): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.post("/login");
  return visitor;
}

const dataOf = async (visitor: Visitor): Promise<unknown> => (await visitor.fetch("/data")).json();

/** Each "with the recipe" runs the published server, to show what the test beside it is about. */
describe.each(expressVersions)("Express $version", (express) => {
  describe("twenty increments by two sockets at once", () => {
    async function increment(shop: Shop, kind: ClientKind): Promise<unknown> {
      const visitor = await loggedIn(shop);
      const sockets = [await visitor.connect(kind), await visitor.connect(kind)];
      await Promise.all(Array.from({ length: 20 }, (_, index) => sockets[index % 2]!.emitWithAck("count")));
      return dataOf(visitor);
    }

    it("with the recipe, reload and save by hand: most are lost", async () => {
      const { count = 0 } = (await increment(await startRecipe(express), stockOverPolling)) as { count?: number };
      expect(count).toBeLessThan(20);
    });

    it.each(clientKinds)("here, $name: all are counted", async (kind) => {
      expect(await increment(await startOurs(express), kind)).toMatchObject({ count: 20 });
    });
  });

  describe("what a request puts into the cart while a poll is pending", () => {
    type Emitter = {
      on(event: "connection", listener: (socket: never) => void): unknown;
      emit(event: string): unknown;
    };

    /** Puts it there when a poll waits, which has loaded the session by then, and ends the poll. */
    async function fillCart(shop: Shop & { io: Emitter }, kind: ClientKind): Promise<unknown> {
      const visitor = await loggedIn(shop);
      const connected = nextEvent<[PublishedSocket]>(shop.io, "connection");
      const socket = await visitor.connect(kind);
      await whenWritable((await connected)[0].conn);
      await visitor.post("/cart");
      const heard = nextEvent(socket, "news");
      shop.io.emit("news");
      // express-session holds the end of an answer back until it has saved.
      await heard;
      return dataOf(visitor);
    }

    it("with the recipe: is overwritten at the end of the poll", async () => {
      const shop = await startRecipe(express);
      expect(await fillCart(shop, stockOverPolling)).not.toHaveProperty("cart");
    });

    it.each(clientKinds)("here, $name: survives", async (kind) => {
      const shop = await startOurs(express);
      expect(await fillCart(shop, kind)).toMatchObject({ cart: ["book"] });
    });
  });

  describe("what polls cost the session store", () => {
    async function callsOf(shop: Shop & { io: { emit(event: string): unknown } }, kind: ClientKind): Promise<number> {
      const visitor = await loggedIn(shop);
      const socket = await visitor.connect(kind);
      let calls = 0;
      const { store } = shop;
      const { get } = store;
      store.get = (...args) => {
        calls++;
        Reflect.apply(get, store, args);
      };
      for (let n = 0; n < 5; n++) {
        const heard = nextEvent(socket, "news");
        shop.io.emit("news");
        await heard;
        await socket.emitWithAck("data");
      }
      return calls;
    }

    it("with the recipe: a look-up each", async () => {
      expect(await callsOf(await startRecipe(express), stockOverPolling)).toBeGreaterThanOrEqual(10);
    });

    it.each(clientKinds)("here, $name: nothing", async (kind) => {
      expect(await callsOf(await startOurs(express), kind)).toBe(0);
    });
  });

  describe("after a logout", () => {
    it("with the recipe: a socket stays in", async () => {
      const shop = await startRecipe(express);
      const visitor = await loggedIn(shop);
      const socket = await visitor.connect(stockOverWebSocket);
      await visitor.post("/logout");
      expect(await socket.emitWithAck("data")).toMatchObject({ user: "ada" });
      expect(socket.connected).toBe(true);
    });

    it.each(clientKinds)("here, $name: it is ended and cannot come back", async (kind) => {
      const visitor = await loggedIn(await startOurs(express));
      const socket = await visitor.connect(kind);
      const ended = nextEvent(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket, "connect_error");
      await visitor.post("/logout");
      expect((await ended)[0]).toBe("transport close");
      expect(statusOf((await refused)[0])).toBe(401);
    });
  });

  describe("after a request has changed the session", () => {
    it("with the recipe: a socket has the old one", async () => {
      const visitor = await loggedIn(await startRecipe(express));
      const socket = await visitor.connect(stockOverWebSocket);
      await visitor.post("/cart");
      expect(await socket.emitWithAck("data")).not.toHaveProperty("cart");
    });

    it.each(clientKinds)("here, $name: the socket has the new one, and has heard of it", async (kind) => {
      const shop = await startOurs(express);
      const changed = new Promise((resolve) => {
        shop.io.on("connection", (socket: ExpressSocket) => socket.session.on("changed", resolve));
      });
      const visitor = await loggedIn(shop);
      const socket = await visitor.connect(kind);
      await visitor.post("/cart");
      expect(await changed).toMatchObject({ cart: ["book"] });
      expect(await socket.emitWithAck("data")).toMatchObject({ cart: ["book"] });
    });
  });

  describe("a middleware of the application that refuses", () => {
    const refuse: RequestHandler = (_req, res) => void res.status(402).json({ error: "pay first" });

    it("with the recipe: has no say", async () => {
      const app = (await express.load())();
      app.use(refuse);
      const { url } = await publishedOn(app);
      await new Visitor(url).connect(stockOverPolling);
      await new Visitor(url).connect(stockOverWebSocket);
    });

    it("with the recipe: given to io.engine.use it lacks what Express has", async () => {
      const app = (await express.load())();
      const { io, url } = await publishedOn(app);
      const seen = new Promise<unknown>((resolve) => {
        io.engine.use((_req: unknown, res: object, next: () => void) => {
          resolve("status" in res);
          next();
        });
      });
      await new Visitor(url).connect(stockOverWebSocket);
      expect(await seen).toBe(false);
    });

    it("here: its status is what clients hear", async () => {
      const { url } = await startApp(express, (app, io) => app.use(refuse, io.middleware()));
      await new Visitor(url).everyClientIsRefused(402);
    });
  });

  describe("socket.request", () => {
    const forwarded = { extraHeaders: { "x-forwarded-for": "203.0.113.7" } };

    it("with the recipe: knows nothing of Express", async () => {
      const app = (await express.load())().set("trust proxy", true);
      const { io, url } = await publishedOn(app);
      const connected = nextEvent<[PublishedSocket]>(io, "connection");
      await new Visitor(url).connect(stockOverWebSocket, forwarded);
      const [{ request }] = await connected;
      expect([(request as unknown as { ip?: string }).ip, "get" in request]).toEqual([undefined, false]);
    });

    it.each(clientKinds)("here, $name: is a request of Express", async (kind) => {
      const { io, url } = await startApp(express, (app, io) => app.set("trust proxy", true).use(io.middleware()));
      const connected = nextEvent<[ExpressSocket]>(io, "connection");
      await new Visitor(url).connect(kind, forwarded);
      const [{ request }] = await connected;
      expect([request.ip, request.get("x-forwarded-for")]).toEqual(["203.0.113.7", "203.0.113.7"]);
    });
  });

  describe("a page of another origin, with the cookie of who is logged in", () => {
    const origin = "https://evil.example";

    it("with the recipe: gets in over WebSocket", async () => {
      const visitor = await loggedIn(await startRecipe(express));
      visitor.headers["origin"] = origin;
      expect(await (await visitor.connect(stockOverWebSocket)).emitWithAck("data")).toMatchObject({ user: "ada" });
    });

    it("here: is refused", async () => {
      const visitor = await loggedIn(await startOurs(express));
      visitor.headers["origin"] = origin;
      await visitor.everyClientIsRefused(403);
    });
  });

  describe("helmet() and cors() of the application", () => {
    async function headersOf(url: string): Promise<unknown> {
      const { headers } = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, {
        headers: { origin: "https://app.example" },
      });
      return [headers.get("access-control-allow-origin"), headers.get("x-content-type-options")];
    }
    async function middlewares(): Promise<RequestHandler[]> {
      const helmet = await loadPeer("helmet");
      const cors = await loadPeer("cors");
      return [helmet(), cors({ origin: "https://app.example", credentials: true })];
    }

    it("with the recipe: are not for sockets", async () => {
      const app = (await express.load())();
      app.use(...(await middlewares()));
      expect(await headersOf((await publishedOn(app)).url)).toEqual([null, null]);
    });

    it("here: are", async () => {
      const all = await middlewares();
      const { url } = await startApp(express, (app, io) => app.use(...all, io.middleware()));
      expect(await headersOf(url)).toEqual(["https://app.example", "nosniff"]);
    });
  });

  describe("a handler that fails", () => {
    it.each(["sync", "async"])("with the recipe, %s: ends the process, and nobody is answered", async (event) => {
      const { child, url } = await startThrowing("recipe", express.version);
      const socket = await new Visitor(url).connect(stockOverWebSocket, { reconnection: false });
      const exited = once(child, "exit") as Promise<[number]>;
      // Not by the server: the client gives up with the connection.
      await expect(socket.emitWithAck(event)).rejects.toThrow("socket has been disconnected");
      expect((await exited)[0]).not.toBe(0);
    });

    it("here: is answered with an error, and nothing else is touched", async () => {
      const { child, url } = await startThrowing("ours", express.version);
      for (const kind of clientKinds) {
        const socket = await new Visitor(url).connect(kind);
        for (const event of ["sync", "async"]) {
          expect(await socket.emitWithAck(event)).toMatchObject({ status: "error", code: "SIO_INTERNAL_ERROR" });
        }
        socket.emit("listener");
        expect(await socket.emitWithAck("alive")).toBe("yes");
      }
      expect(child.exitCode).toBeNull();
    });
  });

  describe("closing", () => {
    it("with the recipe: closes the HTTP server with it", async () => {
      const { io, server } = await startRecipe(express);
      await io.close();
      expect(server.listening).toBe(false);
    });

    it("here: leaves a server of one's own to its owner", async () => {
      const { io, server, url } = await startOurs(express);
      const socket = await (await loggedIn({ url })).connect(stockOverPolling, { reconnection: false });
      const lost = nextEvent(socket, "disconnect");
      await io.shutdown();
      await lost;
      expect(server.listening).toBe(true);
      expect((await fetch(`${url}/data`)).status).toBe(200);
    });
  });

  describe("a WebSocketServer with a path on the same HTTP server", () => {
    const beside = (server: HttpServer): void => {
      const others = new WebSocketServer({ server, path: "/hmr" });
      onTestFinished(() => void others.close());
    };
    async function opens(url: string): Promise<void> {
      const other = new WebSocket(`${url.replace("http", "ws")}/hmr`);
      onTestFinished(() => other.terminate());
      await nextEvent(other, "open");
    }

    it("with the recipe: ends the WebSockets of Socket.IO", async () => {
      const { server, url } = await publishedOn((await express.load())());
      beside(server);
      await opens(url);
      const socket = new Visitor(url).open(stockOverWebSocket, { reconnection: false });
      // Before or behind the handshake of Socket.IO, as it happens.
      await new Promise((resolve) => socket.on("connect_error", resolve).on("disconnect", resolve));
      expect(socket.connected).toBe(false);
    });

    it("here: both work", async () => {
      const shop = await startOurs(express);
      beside(shop.server);
      await opens(shop.url);
      const visitor = await loggedIn(shop);
      for (const kind of clientKinds) await visitor.connect(kind);
    });
  });
});

describe("where time is needed, with Express 5 alone", () => {
  const express = expressVersions[1]!;

  it("when its session expires, with the recipe: a socket stays in; here: all are ended and cannot come back", async () => {
    const recipe = await startRecipe(express);
    const early = await loggedIn(recipe);
    const stays = await early.connect(stockOverWebSocket);
    const ours = await startOurs(express);
    ours.io.on("connection", (socket) => socket.handle("look", () => void socket.session.reload().catch(() => {})));
    const visitor = await loggedIn(ours);
    const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind)));
    const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
    const refused = sockets.map((socket) => nextEvent<[Refusal]>(socket, "connect_error"));
    for (const { store } of [recipe, ours]) expireSoon(store);
    for (const socket of sockets) socket.emit("look");
    await Promise.all(ended);
    for (const [error] of await Promise.all(refused)) expect(statusOf(error)).toBe(401);
    // Who came before has no session any more either.
    expect(await dataOf(early)).not.toHaveProperty("user");
    expect(await stays.emitWithAck("data")).toMatchObject({ user: "ada" });
  });

  it("an upgrade that another listener answers late, with the recipe: is cut off; here: is left alone", async () => {
    const shop = await startOurs(express);
    let answer: () => void = () => {};
    const heard = nextEvent(shop.server, "upgrade");
    const leftAlone = lateUpgrade(shop, new Promise<void>((resolve) => (answer = resolve)));
    await heard;
    const cutOff = lateUpgrade(await publishedOn((await express.load())()), new Promise(() => {}));
    expect(await cutOff).toBe("cut off");
    answer();
    expect(await leftAlone).toBe("open");
  });
});

/** The published server beside an application. */
async function publishedOn(app: Express): Promise<{ io: PublishedServer; server: HttpServer; url: string }> {
  const server = createServer(app);
  const io = new PublishedServer(server);
  return { io, server, url: await listening(server, () => io.close()) };
}

async function startThrowing(implementation: string, version: string): Promise<{ child: ChildProcess; url: string }> {
  if (version === "4") await loadPeer("express-4");
  const from = fileURLToPath(new URL(version === "4" ? "./peers/package.json" : "./anchor.test.ts", import.meta.url));
  const program = fileURLToPath(new URL("./fixtures/throwing.mjs", import.meta.url));
  const name = version === "4" ? "express-4" : "express";
  const child = spawn(process.execPath, [program, implementation, from, name], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [port] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return { child, url: `http://127.0.0.1:${port.trim()}` };
}

/** Some other protocol, whose listener has to ask somebody first, until then. */
async function lateUpgrade({ server, url }: Pick<Shop, "server" | "url">, then: Promise<void>): Promise<string> {
  const others = new WebSocketServer({ noServer: true });
  server.on("upgrade", (req, socket, head) => {
    if (req.url === "/late") void then.then(() => others.handleUpgrade(req, socket, head, () => {}));
  });
  const late = new WebSocket(`${url.replace("http", "ws")}/late`);
  onTestFinished(() => {
    late.terminate();
    others.close();
  });
  return new Promise((resolve) => {
    late.once("open", () => resolve("open")).once("error", () => resolve("cut off"));
  });
}
