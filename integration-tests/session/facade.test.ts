import session from "express-session";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { Browser, clientKinds, loggedIn } from "./browser.js";
import { answer, startApp, type App } from "./session-app.js";
import { storeKinds, type StoreService } from "./stores.js";

/** A server whose sockets can look at their session and change it. */
async function startFacade(store: session.Store): Promise<App> {
  const app = await startApp({
    store,
    routes: {
      "POST /through-the-facade": async (req, res) => {
        req.session.user = "set before";
        const { n } = await app.sessions.update(req.sessionID, (data) => {
          data.n = (data.n ?? 0) + 1;
        });
        answer(res, { n, seen: req.session.n });
      },
    },
  });
  app.io.on("connection", (socket) => {
    const { session: own } = socket;
    own.on("changed", (data) => socket.emit("changed", data));
    socket.handle("look", () => ({ exists: own.exists, data: own.data }));
    socket.handle("reload", () => own.reload());
    socket.handle("increment", async () => {
      const { n } = await own.update(async (data) => {
        const before = data.n ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 1));
        data.n = before + 1;
      });
      return n;
    });
    socket.handle("fail", () =>
      own.update((data) => {
        data.n = 1_000;
        throw new Error("no");
      }),
    );
    socket.handle("touch", () => own.touch());
  });
  return app;
}

describe.each(storeKinds)("socket.session with $name", (kind) => {
  let service: StoreService;
  beforeAll(async () => {
    service = await kind.start();
  });
  afterAll(() => service.remove());

  describe.each(clientKinds)("and $name", (client) => {
    it("is that of the HTTP requests", async () => {
      const { url } = await startFacade(await service.open());
      const browser = await loggedIn(url);
      const socket = await browser.connect(client);
      expect(await socket.emitWithAck("look")).toEqual({ exists: true, data: { user: "ada", n: 0 } });
      await browser.post("/increment");
      expect(await socket.emitWithAck("look")).toEqual({ exists: true, data: { user: "ada", n: 1 } });
      expect(await socket.emitWithAck("increment")).toBe(2);
      expect(await browser.get("/data")).toEqual({ user: "ada", n: 2 });
    });

    it("loses none of 20 increments from two sockets and HTTP", async () => {
      const { url } = await startFacade(await service.open());
      const browser = await loggedIn(url);
      const sockets = [await browser.connect(client), await browser.connect(client)] as const;
      const increments = Array.from({ length: 20 }, (_, i) => {
        const socket = sockets[i % 3];
        return socket === undefined ? browser.post("/increment") : socket.emitWithAck("increment");
      });
      const results = (await Promise.all(increments)) as number[];
      expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      expect(await browser.get("/data")).toMatchObject({ n: 20 });
    });
  });

  const client = clientKinds[1]!;

  it("tells the other sockets of the session of a change, and not the one that made it", async () => {
    const { url } = await startFacade(await service.open());
    const browser = await loggedIn(url);
    const [first, second] = [await browser.connect(client), await browser.connect(client)];
    const stranger = await (await loggedIn(url)).connect(client);
    const told: string[] = [];
    first.on("changed", () => told.push("first"));
    stranger.on("changed", () => told.push("stranger"));
    const changed = nextEvent(second, "changed");
    await first.emitWithAck("increment");
    expect(await changed).toEqual([{ user: "ada", n: 1 }]);
    await Promise.all([first, stranger].map((socket) => socket.emitWithAck("look")));
    expect(told).toEqual([]);
    const both = Promise.all([nextEvent(first, "changed"), nextEvent(second, "changed")]);
    await browser.post("/increment");
    expect(await both).toEqual([[{ user: "ada", n: 2 }], [{ user: "ada", n: 2 }]]);
  });

  it("saves nothing when a change throws", async () => {
    const { url } = await startFacade(await service.open());
    const browser = await loggedIn(url);
    const socket = await browser.connect(client);
    expect(await socket.emitWithAck("fail")).toMatchObject({ status: "error" });
    expect(await browser.get("/data")).toEqual({ user: "ada", n: 0 });
  });

  it("can be changed within a request that has its turn, and both changes are saved", async () => {
    const { url } = await startFacade(await service.open());
    const browser = await loggedIn(url);
    const socket = await browser.connect(client);
    expect(await browser.post("/through-the-facade")).toEqual({ n: 1, seen: 1 });
    expect(await socket.emitWithAck("reload")).toEqual({ user: "set before", n: 1 });
  });

  it("is empty for a client that has none, and cannot be changed", async () => {
    const { url } = await startFacade(await service.open());
    const socket = await new Browser(url).connect(client);
    expect(await socket.emitWithAck("look")).toEqual({ exists: false, data: {} });
    for (const event of ["increment", "reload", "touch"]) {
      expect(await socket.emitWithAck(event)).toMatchObject({ status: "error", code: "SIO_SESSION_GONE" });
    }
  });
});

it("a handshake with an empty sid, which is none, has its session too", async () => {
  const browser = await loggedIn((await startFacade(new session.MemoryStore())).url);
  const [stock] = clientKinds as [(typeof clientKinds)[0]];
  const socket = await browser.connect(stock, { query: { sid: "" } });
  expect(await socket.emitWithAck("look")).toMatchObject({ exists: true });
});
