import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Server } from "@plugboard/server";
import { fromRequest, perEvent, SocketSessions } from "@plugboard/session";
import session from "express-session";
import { describe, expect, it, onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { Browser, clientKinds, loggedIn, stockOverWebSocket } from "./browser.js";
import { startApp } from "./session-app.js";
import { loadPeer, redis } from "./stores.js";

type Middleware = (req: object, res: object, next: () => void) => void;

describe("a handler of its own turn", () => {
  it.each(clientKinds)(
    "sees the session as it is, and what it changes is saved before it answers, with $name",
    async (kind) => {
      const app = await startApp({ store: new session.MemoryStore() });
      app.io.on("connection", (socket) => {
        socket.handle(
          "add",
          perEvent(async (item: string, context) => {
            const { draft } = context.socket.session;
            const count = (draft.cart ??= []).length;
            await new Promise((resolve) => setTimeout(resolve, 1));
            draft.cart.push(`${item} ${count}`);
            if (item === "poison") throw new Error("no");
            return draft.cart.length;
          }),
        );
        socket.on(
          "listen",
          perEvent((done: () => void) => {
            socket.session.draft.n = 7;
            done();
          }),
        );
      });
      const browser = await loggedIn(app.url);
      const socket = await browser.connect(kind);
      const answers = ["a", "b", "poison", "c"].map((item) => socket.emitWithAck("add", item));
      expect(await Promise.all(answers)).toEqual([1, 2, expect.objectContaining({ status: "error" }), 3]);
      expect(await browser.get("/data")).toMatchObject({ cart: ["a 0", "b 1", "c 2"] });
      await socket.emitWithAck("listen");
      // In line behind the listener.
      await socket.emitWithAck("add", "d");
      expect(await browser.get("/data")).toMatchObject({ n: 7 });
    },
  );

  it("is refused to a socket without a session", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    app.io.on(
      "connection",
      (socket) =>
        void socket.handle(
          "add",
          perEvent(() => 1),
        ),
    );
    const socket = await new Browser(app.url).connect(stockOverWebSocket);
    expect(await socket.emitWithAck("add")).toMatchObject({ status: "error", code: "SIO_SESSION_GONE" });
  });
});

describe("a session that travels in a cookie", () => {
  it.each(clientKinds)("can be read and not be changed, with $name", async (kind) => {
    const cookieSession = (await loadPeer("cookie-session")) as (options: object) => Middleware;
    const middleware = cookieSession({ name: "session", keys: ["a key"] });
    const http = createServer((req, res) => {
      if (req.url !== "/login") return;
      middleware(req, res, () => {
        (req as unknown as { session: object }).session = { user: "ada" };
        res.end("{}");
      });
    });
    const io = new Server(http, { onListenerError: () => {} });
    const sessions = new SocketSessions(io, { store: fromRequest() });
    io.engine.use(sessions.handshakeOnly(middleware));
    io.on("connection", (socket) => {
      const { session: own } = socket;
      socket.handle("look", () => ({ exists: own.exists, data: own.data }));
      socket.handle("update", () => own.update((data) => void (data.n = 1)));
      socket.handle("touch", () => own.touch());
      socket.handle("destroy", () => own.destroy());
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => io.close());
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const login = await fetch(`${url}/login`);
    const cookie = login.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
    const browser = new Browser(url);
    browser.cookie = cookie;
    const socket = await browser.connect(kind);
    expect(await socket.emitWithAck("look")).toEqual({ exists: true, data: { user: "ada" } });
    for (const event of ["update", "touch", "destroy"]) {
      expect(await socket.emitWithAck(event)).toMatchObject({ code: "SIO_SESSION_READ_ONLY" });
    }
  });
});

/** Counts the calls of a store's methods. */
class CountingStore extends session.MemoryStore {
  readonly calls: string[] = [];
  /** Which of the reads fails, if any. */
  failing = NaN;
  override get(...args: Parameters<session.MemoryStore["get"]>): void {
    const reads = this.calls.push("get");
    if (reads === this.failing) args[1](new Error("down"));
    else super.get(...args);
  }
  override set(...args: Parameters<session.MemoryStore["set"]>): void {
    this.calls.push("set");
    super.set(...args);
  }
  override touch(...args: Parameters<session.MemoryStore["touch"]>): void {
    this.calls.push("touch");
    super.touch(...args);
  }
}

describe("the store", () => {
  const costs = [
    // The handshake's own get and touch, and one get when the socket joins.
    { kind: clientKinds[0]!, calls: ["get", "touch", "get"] },
    // Nothing is saved at the end of an upgrade.
    { kind: clientKinds[1]!, calls: ["get", "get"] },
  ];

  it.each(costs)(
    "is asked $calls for a connection, and never for an event, with $kind.name",
    async ({ kind, calls }) => {
      const store = new CountingStore();
      const app = await startApp({ store, session: { resave: true } });
      app.io.on("connection", (socket) => void socket.handle("look", () => socket.session.data.user));
      app.io.of("/other");
      const browser = await loggedIn(app.url);
      store.calls.length = 0;
      const socket = await browser.connect(kind);
      expect(store.calls).toEqual(calls);
      for (let i = 0; i < 50; i++) expect(await socket.emitWithAck("look")).toBe("ada");
      // Another namespace on the same connection, while the session is known here.
      const other = socket.io.socket("/other");
      await nextEvent(other, "connect");
      expect(store.calls).toEqual(calls);
    },
  );

  it("that is down when a socket joins lets the client come back later, and the server hears of it", async () => {
    const store = new CountingStore();
    const failures: unknown[] = [];
    const app = await startApp({ store, io: { onListenerError: ({ error }) => void failures.push(error) } });
    const browser = await loggedIn(app.url);
    store.calls.length = 0;
    // That of the socket, after that of the handshake.
    store.failing = 2;
    const socket = browser.open(stockOverWebSocket);
    const sessions: string[] = [];
    app.io.on("connection", (there) => sessions.push(String(there.session.data.user)));
    await nextEvent(socket, "connect");
    expect(sessions).toEqual(["ada"]);
    expect(failures).toEqual([new Error("down")]);
    expect(store.calls).toEqual(["get", "get", "get", "get"]);
  });
});

describe("pages of other origins", () => {
  const asked = { headers: { origin: "http://evil.example" } };
  const handshake = "/socket.io/?EIO=4&transport=polling";

  it("cannot open a socket", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    expect((await fetch(app.url + handshake, asked)).status).toBe(403);
    expect((await fetch(app.url + handshake, { headers: { origin: app.url } })).status).toBe(200);
  });

  it("can when the program says so", async () => {
    const app = await startApp({ store: new session.MemoryStore(), sessions: { checkOrigin: false } });
    expect((await fetch(app.url + handshake, asked)).status).toBe(200);
    const own = await startApp({ store: new session.MemoryStore(), io: { checkOrigin: () => true } });
    expect((await fetch(own.url + handshake, asked)).status).toBe(200);
  });
});

describe("a server that is stopped and started again", () => {
  it.each(clientKinds)("has $name back without code of the user, with its session", async (kind) => {
    const service = await redis.start();
    onTestFinished(() => service.remove());
    const start = async (port?: number) => {
      const app = await startApp({ store: await service.open(), ...(port !== undefined && { port }) });
      app.io.on("connection", (socket) => {
        socket.handle("look", () => socket.session.data.n);
        socket.handle("bump", () => socket.session.update((data) => void (data.n = (data.n ?? 0) + 1)));
      });
      return app;
    };
    const first = await start();
    const browser = await loggedIn(first.url);
    const socket = await browser.connect(kind);
    await socket.emitWithAck("bump");
    const back = nextEvent(socket, "disconnect").then(() => nextEvent(socket, "connect"));
    await first.close();
    await start(first.port);
    await back;
    expect(await socket.emitWithAck("look")).toBe(1);
  });
});
