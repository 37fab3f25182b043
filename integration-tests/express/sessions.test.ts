import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { clientKinds, loggedIn, Browser } from "../session/browser.js";
import { storeKinds, type StoreService } from "../session/stores.js";
import { expressVersions, loadPeer } from "./peers.js";
import { expireSoon, memoryOnly, startShop, type Data } from "./session-app.js";
import { startApp } from "./start-app.js";
import { statusOf, type Refusal } from "./visitor.js";

describe.each(storeKinds)("sessions in $name", (kind) => {
  let service: StoreService;
  beforeAll(async () => {
    service = await kind.start();
  });
  afterAll(() => service.remove());

  describe.each(expressVersions)("with Express $version", (express) => {
    it("lose none of 20 increments by two sockets and by requests", async () => {
      const { url } = await startShop(express, await service.open());
      const browser = await loggedIn(url);
      const [polling, websocket] = await Promise.all([
        browser.connect(clientKinds[0]!),
        browser.connect(clientKinds[3]!),
      ]);
      const work: Promise<unknown>[] = [];
      for (let i = 0; i < 5; i++) {
        work.push(polling.emitWithAck("count"), websocket.emitWithAck("count"));
        work.push(browser.post("/count"), browser.post("/count"));
      }
      await Promise.all(work);
      expect(((await browser.get("/data")) as Data).count).toBe(20);
    });

    it("keep a cart item that is written while a poll is pending", async () => {
      const { url } = await startShop(express, await service.open());
      const browser = await loggedIn(url);
      const polling = await browser.connect(clientKinds[0]!);
      const other = await browser.connect(clientKinds[1]!);
      expect(await other.emitWithAck("cart:add", "book")).toBe(1);
      // The pending poll has been answered by now, and others have begun.
      expect(await polling.emitWithAck("who")).toBe("Ada");
      expect(((await browser.get("/data")) as Data).cart).toEqual(["book"]);
    });
  });
});

describe.each(expressVersions)("with Express $version", (express) => {
  describe.each(clientKinds)("$name", (kind) => {
    it("is refused while nobody is logged in, tries again by itself, and comes in after the login", async () => {
      const { url } = await startShop(express, memoryOnly());
      const browser = new Browser(url);
      const socket = browser.open(kind);
      const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
      expect(statusOf(error)).toBe(401);
      await browser.post("/login");
      await nextEvent(socket, "connect");
      expect(await socket.emitWithAck("who")).toBe("Ada");
    });

    it.each(["/logout", "/destroy", "/regenerate"])("is ended by %s, comes back and is refused", async (path) => {
      const { url } = await startShop(express, memoryOnly());
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const ended = nextEvent(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket, "connect_error");
      await browser.post(path);
      expect((await ended)[0]).toBe("transport close");
      expect(statusOf((await refused)[0])).toBe(401);
    });

    it("stays away after a logout with onEnd: disconnect", async () => {
      const { url } = await startShop(express, memoryOnly(), { session: { onEnd: "disconnect" } });
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const ended = nextEvent(socket, "disconnect");
      await browser.post("/logout");
      expect((await ended)[0]).toBe("io server disconnect");
    });

    it("is ended when the session expires, and refused", async () => {
      const store = memoryOnly();
      const { url, io } = await startShop(express, store, { cookie: { maxAge: 3_600_000 } });
      io.on("connection", (socket) => socket.handle("look", () => void socket.session.reload().catch(() => {})));
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const ended = nextEvent(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket, "connect_error");
      expireSoon(store);
      socket.emit("look");
      expect((await ended)[0]).toBe("transport close");
      expect(statusOf((await refused)[0])).toBe(401);
    });

    it("is spoken to by session and by user", async () => {
      const { url } = await startShop(express, memoryOnly());
      const browser = await loggedIn(url);
      const socket = await browser.connect(kind);
      const told: string[] = [];
      const both = new Promise<void>((resolve) => {
        socket.on("told", (by: string) => told.push(by) === 2 && resolve());
      });
      await browser.post("/tell");
      await both;
      expect(told).toEqual(["session", "user"]);
    });
  });

  it("refreshUser deserializes the user again", async () => {
    const { url, users } = await startShop(express, memoryOnly());
    const browser = await loggedIn(url);
    const socket = await browser.connect(clientKinds[1]!);
    users.set("ada", { id: "ada", name: "Countess" });
    expect(await socket.emitWithAck("who")).toBe("Ada");
    expect(await socket.emitWithAck("refresh")).toBe("Countess");
    expect(await socket.emitWithAck("who")).toBe("Countess");
    users.delete("ada");
    expect(await socket.emitWithAck("refresh")).toBe("nobody");
  });

  it("sessions of cookie-session can be read, and update says why it cannot write", async () => {
    const cookieSession = await loadPeer("cookie-session");
    const { url } = await startApp(express, (app, io) => {
      app.use(cookieSession({ name: "s", keys: ["k"] }), io.middleware());
      app.post("/login", (req, res) => {
        Object.assign(req, { session: { user: "ada" } });
        res.json({});
      });
      io.on("connection", (socket) => {
        socket.handle("read", () => (socket.session.data as { user?: string }).user);
        socket.handle("write", () => socket.session.update(() => {}));
      });
    });
    const response = await fetch(`${url}/login`, { method: "POST" });
    const browser = new Browser(url);
    browser.cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(";")[0])
      .join("; ");
    const socket = await browser.connect(clientKinds[1]!);
    expect(await socket.emitWithAck("read")).toBe("ada");
    expect(await socket.emitWithAck("write")).toMatchObject({ status: "error", code: "SIO_SESSION_READ_ONLY" });
  });
});
