import session from "express-session";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { clientKinds, loggedIn, stockOverWebSocket } from "./browser.js";
import { answer, startApp, type App, type AppSetup } from "./session-app.js";
import { storeKinds, type StoreService } from "./stores.js";

/** A server that remembers what has happened to its sockets. */
async function startWitness(setup: AppSetup): Promise<App & { log: string[] }> {
  const log: string[] = [];
  const app = await startApp({
    ...setup,
    routes: {
      "POST /regenerate": (req, res) => {
        req.session.regenerate(() => {
          req.session.user = "ada again";
          answer(res, "renewed");
        });
      },
      "GET /logout": (req, res) => req.session.destroy(() => answer(res, "bye")),
      "POST /expire": (req, res) => {
        req.session.cookie.expires = new Date(Date.now() - 1_000);
        req.session.cookie.originalMaxAge = -1_000;
        answer(res, "expired");
      },
      "POST /expire-soon": (req, res) => {
        // A change of the data, so that the store is told of the cookie too.
        req.session.n = -1;
        req.session.cookie.maxAge = 500;
        answer(res, "soon");
      },
    },
  });
  const namespaces = [app.io, app.io.of("/other")] as const;
  for (const namespace of namespaces) {
    namespace.on("connection", (socket) => {
      socket.session.on("ended", (why) => log.push(`ended: ${why}, ${socket.connected ? "connected" : "gone"}`));
      socket.on("disconnect", (reason, description) => log.push(`${reason}: ${String(description)}`));
      socket.handle("whoami", () => ({ user: socket.session.data.user, exists: socket.session.exists }));
      socket.handle("bump", () => socket.session.update((data) => void (data.n = 1)));
    });
  }
  return Object.assign(app, { log });
}

describe.each(storeKinds)("the end of a session with $name", (kind) => {
  let service: StoreService;
  beforeAll(async () => {
    service = await kind.start();
  });
  afterAll(() => service.remove());

  it.each(clientKinds)("makes $name come back without it", async (client) => {
    const app = await startWitness({ store: await service.open() });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(client);
    expect(await socket.emitWithAck("whoami")).toEqual({ user: "ada", exists: true });
    const back = nextEvent(socket, "disconnect").then(() => nextEvent(socket, "connect"));
    await browser.post("/logout");
    await back;
    expect(await socket.emitWithAck("whoami")).toEqual({ exists: false });
    expect(app.log).toEqual(["ended: destroyed, connected", expect.stringContaining("session destroyed")]);
  });

  it("by regenerate makes its sockets come back with the new one", async () => {
    const app = await startWitness({ store: await service.open() });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket, { reconnectionDelay: 200 });
    const back = nextEvent(socket, "disconnect").then(() => nextEvent(socket, "connect"));
    await browser.post("/regenerate");
    await back;
    expect(await socket.emitWithAck("whoami")).toEqual({ user: "ada again", exists: true });
  });

  it("by its time ends its sockets", async () => {
    const app = await startWitness({ store: await service.open(), sessions: { touchEveryMs: 0 } });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const gone = nextEvent(socket, "disconnect");
    await browser.post("/expire-soon");
    await gone;
    expect(app.log).toEqual(["ended: expired, connected", "forced server close: session expired"]);
  });

  it("by another process is noticed with revalidateEveryMs", async () => {
    const elsewhere = await service.open();
    const app = await startWitness({ store: await service.open(), sessions: { revalidateEveryMs: 20 } });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const gone = nextEvent(socket, "disconnect");
    const id = /s%3A(.*?)\./.exec(browser.cookie as string)?.[1] as string;
    // The same object in memory: its method as it was.
    const destroy = Object.getPrototypeOf(elsewhere).destroy as session.Store["destroy"];
    await new Promise((resolve) => destroy.call(elsewhere, id, resolve));
    await gone;
    expect(app.log[0]).toBe("ended: destroyed, connected");
  });
});

describe("what ends with a session", () => {
  afterEach(() => void vi.useRealTimers());

  it("is no socket that was refused: a client that asks again and again collects none", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    const asked: string[] = [];
    const told: string[] = [];
    app.io.of("/closed").use((socket, next) => {
      asked.push(socket.id);
      socket.session.on("ended", () => told.push(socket.id));
      next(new Error("not you"));
    });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const closed = socket.io.socket("/closed");
    await nextEvent(closed, "connect_error");
    for (let i = 0; i < 10; i++) {
      const refused = nextEvent(closed, "connect_error");
      closed.connect();
      await refused;
    }
    const gone = nextEvent(socket, "disconnect");
    await browser.post("/logout");
    await gone;
    expect(asked).toHaveLength(11);
    // Nobody tells of a refusal: the last one is let go when the client asks again, or is gone.
    expect(told).toEqual(asked.slice(-1));
  });

  it("is every socket in every namespace, and no socket of another session", async () => {
    const app = await startWitness({ store: new session.MemoryStore() });
    const [ada, eve] = [await loggedIn(app.url), await loggedIn(app.url)];
    const sockets = [await ada.connect(stockOverWebSocket), ada.open(stockOverWebSocket, { path: "/other" })];
    await nextEvent(sockets[1] as object, "connect");
    const stranger = await eve.connect(stockOverWebSocket);
    const gone = Promise.all(sockets.map((socket) => nextEvent(socket, "disconnect")));
    await ada.fetch("GET", "/logout");
    await gone;
    expect(await stranger.emitWithAck("whoami")).toEqual({ user: "ada", exists: true });
    expect(stranger.connected).toBe(true);
  });

  it("with onEnd disconnect, are sockets that stay away", async () => {
    const app = await startWitness({ store: new session.MemoryStore(), sessions: { onEnd: "disconnect" } });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const gone = nextEvent(socket, "disconnect");
    await browser.post("/logout");
    expect((await gone)[0]).toBe("io server disconnect");
  });

  it("with onEnd ignore, is nothing but the session", async () => {
    const app = await startWitness({ store: new session.MemoryStore(), sessions: { onEnd: "ignore" } });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    await browser.post("/logout");
    expect(await socket.emitWithAck("whoami")).toEqual({ user: "ada", exists: false });
    expect(await socket.emitWithAck("bump")).toMatchObject({ code: "SIO_SESSION_GONE" });
    expect(app.log).toEqual(["ended: destroyed, connected"]);
  });

  it("is also a socket whose session is stored with an end that has passed", async () => {
    const app = await startWitness({ store: new session.MemoryStore() });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const gone = nextEvent(socket, "disconnect");
    await browser.post("/expire");
    await gone;
  });

  it("ends after the response that ended it has gone out", async () => {
    const order: string[] = [];
    const app = await startWitness({ store: new session.MemoryStore() });
    app.http.on("request", (req, res) => void res.once("finish", () => order.push(`answered ${req.url}`)));
    app.io.on("connection", (socket) => void socket.once("disconnect", () => order.push("ended")));
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    order.length = 0;
    const gone = nextEvent(socket, "disconnect");
    await browser.post("/regenerate");
    await gone;
    expect(order.filter((entry) => !entry.includes("socket.io"))).toEqual(["answered /regenerate", "ended"]);
  });

  it("lasts as long as its sockets have something to say", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
    const maxAge = 60_000;
    const setup = { store: new session.MemoryStore(), session: { cookie: { maxAge } } };
    const app = await startWitness({ ...setup, io: { pingInterval: 10 * maxAge } });
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    const gone = nextEvent(socket, "disconnect");
    for (let n = 0; n < 4; n++) {
      vi.advanceTimersByTime(0.6 * maxAge);
      // Twice: the store has heard of the first when the second is answered.
      for (let asked = 0; asked < 2; asked++)
        expect(await socket.emitWithAck("whoami")).toEqual({ user: "ada", exists: true });
    }
    vi.advanceTimersByTime(maxAge);
    await gone;
    expect(app.log[0]).toBe("ended: expired, connected");
  });

  it("never shows the id of the session in a room", async () => {
    const app = await startWitness({ store: new session.MemoryStore() });
    const browser = await loggedIn(app.url);
    await browser.connect(stockOverWebSocket);
    const id = /s%3A(.*?)\./.exec(browser.cookie as string)?.[1] as string;
    const rooms = [...app.io.sockets.adapter.rooms.keys()];
    expect(rooms).toContain(app.sessions.roomOf(id));
    expect(rooms.join()).not.toContain(id);
  });
});
