import { perEvent } from "@plugboard/express";
import session from "express-session";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Socket } from "socket.io-client";
import { describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { Browser, clientKinds, loggedIn, stockOverWebSocket } from "../session/browser.js";
import { expressVersions } from "./peers.js";
import { memoryOnly, startShop, type Data, type WithData } from "./session-app.js";
import { startApp } from "./start-app.js";

/** A store whose reads end when the test lets them: what a slow request has read is old by then. */
class HeldStore extends session.MemoryStore {
  reads: (() => void)[] | undefined = undefined;
  override get = (id: string, done: (error: unknown, data?: session.SessionData | null) => void): void => {
    super.get(id, (error, data) => {
      if (this.reads === undefined) done(error, data);
      else this.reads.push(() => done(error, data));
    });
  };
}

describe.each(expressVersions)("with Express $version", (express) => {
  // Without it polls do not see the session; see `anchor.test.ts` and `sessions.test.ts`.
  describe("with runOn: all and resave", () => {
    const overPolling = clientKinds.filter(({ transports }) => transports.includes("polling"));

    it.each(overPolling)("a cart item that is written while a poll of $name is pending stays", async (kind) => {
      const { url } = await startShop(express, memoryOnly(), { runOn: "all" });
      const browser = await loggedIn(url);
      const pending = await browser.connect(kind);
      const other = await browser.connect(stockOverWebSocket);
      for (let n = 1; n <= 5; n++) {
        expect(await other.emitWithAck("cart:add", `book ${n}`)).toBe(n);
        // Ends the poll that was pending, which saves the session when it is over; the next begins.
        expect(await pending.emitWithAck("who")).toBe("Ada");
      }
      expect(((await browser.get("/data")) as Data).cart).toHaveLength(5);
    });

    it.each(overPolling)("neither $name nor requests lose increments", async (kind) => {
      const { url } = await startShop(express, memoryOnly(), { runOn: "all" });
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const both = Array.from({ length: 10 }, () => [socket.emitWithAck("count"), browser.post("/count")]);
      await Promise.all(both.flat());
      expect(((await browser.get("/data")) as Data).count).toBe(20);
    });
  });

  it("the first requests of a process take turns too, though they bring the store", async () => {
    const former = memoryOnly();
    const { url: before } = await startShop(express, former);
    const { cookie = "" } = await loggedIn(before);
    const store = Object.assign(memoryOnly(), { sessions: (former as unknown as { sessions: object }).sessions });
    let arrived = 0;
    const { url } = await startApp(express, (app, io) => {
      app.use((_req, _res, next) => {
        arrived++;
        next();
      });
      app.use(session({ store, secret: "s", resave: true, saveUninitialized: false }));
      app.use(io.middleware());
      app.post("/slow", (req, res, next) => {
        const { session } = req as unknown as WithData;
        const count = (session.count ?? 0) + 1;
        (async () => {
          // The others have what is in the store by then, if they do not wait.
          while (arrived < 3) await nextTurn();
          for (let n = 0; n < 10; n++) await nextTurn();
          session.count = count;
          res.json({ count });
        })().catch(next);
      });
    });
    const ask = async (): Promise<unknown> =>
      (await fetch(`${url}/slow`, { method: "POST", headers: { cookie } })).json();
    const counts = (await Promise.all([ask(), ask(), ask()])) as { count: number }[];
    expect(counts.map(({ count }) => count).sort()).toEqual([1, 2, 3]);
  });

  it("takesTurn decides which requests wait for a change by a socket", async () => {
    const visited: string[] = [];
    const { url, io } = await startShop(express, memoryOnly(), {
      session: { takesTurn: (request) => request.method === "POST" || request.url === "/visit" },
      setup: (app) => {
        app.get(["/visit", "/look"], (req, res) => {
          const { session } = req as unknown as WithData;
          visited.push(req.path);
          session.count = (session.count ?? 0) + 1;
          res.json({ count: session.count });
        });
      },
    });
    let finish: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      io.on("connection", (socket) => {
        socket.handle("slow", () =>
          socket.session.update(async (draft: Data) => {
            resolve();
            await new Promise<void>((done) => (finish = done));
            draft.count = 10;
          }),
        );
      });
    });
    const browser = await loggedIn(url);
    const socket = await browser.connect(stockOverWebSocket);
    const changed = socket.emitWithAck("slow");
    await begun;
    const visit = browser.get("/visit");
    // Takes no turn: it is answered while the change goes on.
    expect(await browser.get("/look")).toEqual({ count: 1 });
    expect(visited).toEqual(["/look"]);
    finish();
    await changed;
    expect(await visit).toEqual({ count: 11 });
  });

  describe.each(clientKinds)("$name", (kind) => {
    it("sees by reload what others wrote past this process, and moves the end on by touch", async () => {
      const store = memoryOnly() as session.MemoryStore & { sessions: Record<string, string> };
      const { url, io } = await startShop(express, store, { cookie: { maxAge: 3_600_000 } });
      io.on("connection", (socket) => {
        socket.handle("reload", async () => (await socket.session.reload()) as Data);
        socket.handle("data", () => socket.session.data as Data);
        socket.handle("touch", () => socket.session.touch());
      });
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const [id] = Object.keys(store.sessions) as [string];
      const stored = (): { cookie: { expires: string } } => JSON.parse(store.sessions[id]!) as never;
      const old = new Date(Date.now() + 60_000).toISOString();
      const { cookie, ...data } = stored();
      store.sessions[id] = JSON.stringify({ ...data, cart: ["elsewhere"], cookie: { ...cookie, expires: old } });
      expect(((await socket.emitWithAck("data")) as Data).cart).toBe(undefined);
      expect(((await socket.emitWithAck("reload")) as Data).cart).toEqual(["elsewhere"]);
      expect(stored().cookie.expires).toBe(old);
      await socket.emitWithAck("touch");
      expect(Date.parse(stored().cookie.expires)).toBeGreaterThan(Date.parse(old));
    });

    it("has the session to itself in each event with perEvent", async () => {
      const { url, io } = await startShop(express, memoryOnly());
      io.on("connection", (socket) => {
        socket.handle(
          "next",
          perEvent(async (_payload, context) => {
            const draft = (context as unknown as { socket: typeof socket }).socket.session.draft as Data;
            const before = draft.count ?? 0;
            await new Promise((resolve) => setImmediate(resolve));
            return (draft.count = before + 1);
          }),
        );
      });
      const browser = await loggedIn(url);
      const sockets = await Promise.all([browser.connect(kind), browser.connect(kind)]);
      const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => sockets[i % 2]!.emitWithAck("next")));
      expect(answers.toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(((await browser.get("/data")) as Data).count).toBe(10);
    });

    it("hears on the server that its session was destroyed, before it is ended", async () => {
      const { url, io } = await startShop(express, memoryOnly());
      const ended = new Promise<[reason: string, connected: boolean]>((resolve) => {
        io.on("connection", (socket) => {
          socket.session.on("ended", (reason: string) => resolve([reason, socket.connected]));
        });
      });
      const browser = await loggedIn(url);
      const socket: Socket = await browser.connect(kind);
      const gone = nextEvent(socket, "disconnect");
      await browser.post("/destroy");
      expect(await ended).toEqual(["destroyed", true]);
      await gone;
    });
  });

  it("what a slow poll has read does not go back into the store when it ends", async () => {
    const store = new HeldStore().setMaxListeners(0) as HeldStore;
    const { url, io } = await startApp(
      express,
      (app, io) => {
        app.use(session({ store, secret: "s", resave: true, saveUninitialized: true }), io.middleware());
        app.get("/data", (req, res) => void res.json(req.session));
      },
      { runOn: "all" },
    );
    io.on("connection", (socket) => {
      socket.handle("set", () => socket.session.update((draft: Data) => void (draft.cart = ["book"])));
    });
    const browser = new Browser(url);
    await browser.get("/data");
    const handshake = await browser.fetch("GET", "/socket.io/?EIO=4&transport=polling");
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
    const writer = await browser.connect(stockOverWebSocket);
    store.reads = [];
    const poll = browser.fetch("GET", `/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    await expect.poll(() => store.reads?.length).toBe(1);
    const [finishRead] = store.reads as [() => void];
    store.reads = undefined;
    await writer.emitWithAck("set");
    finishRead();
    await browser.fetch("POST", `/socket.io/?EIO=4&transport=polling&sid=${sid}`, { body: "40" });
    await (await poll).text();
    expect(((await browser.get("/data")) as Data).cart).toEqual(["book"]);
  });
});
