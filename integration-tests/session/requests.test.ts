import { request as httpRequest } from "node:http";
import session from "express-session";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { loggedIn, stockOverWebSocket, type Browser } from "./browser.js";
import { answer, startApp, type App, type Handler } from "./session-app.js";

const idOf = (browser: Browser): string => /s%3A(.*?)\./.exec(browser.cookie as string)?.[1] as string;

/** A route that waits until it is told to go on. */
function heldRoute() {
  const began = deferred<void>();
  const goOn = deferred<void>();
  const handler: Handler = async (req, res) => {
    began.resolve();
    await goOn.promise;
    req.session.n = (req.session.n ?? 0) + 1;
    answer(res, req.session.n);
  };
  return { handler, began: began.promise, goOn: () => goOn.resolve() };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

/** So that a turn takes too long when the test says so, and not when the machine is busy. */
const TURN_TIMEOUT_MS = 60_000;
const stopTime = (): void => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
afterEach(() => void vi.useRealTimers());

const increment = (app: App, browser: Browser): Promise<unknown> =>
  app.sessions.update(idOf(browser), (data) => void (data.n = (data.n ?? 0) + 1));

describe("a request that changes its session", () => {
  it("has the turn until its response ends: a socket's change waits", async () => {
    const held = heldRoute();
    const app = await startApp({ store: new session.MemoryStore(), routes: { "POST /held": held.handler } });
    const browser = await loggedIn(app.url);
    const posted = browser.post("/held");
    await held.began;
    const changed = increment(app, browser);
    held.goOn();
    expect(await posted).toBe(1);
    expect(await changed).toMatchObject({ n: 2 });
  });

  it("does not keep the requests of other sessions waiting, nor those that only read", async () => {
    const held = heldRoute();
    const app = await startApp({ store: new session.MemoryStore(), routes: { "POST /held": held.handler } });
    const [browser, other] = [await loggedIn(app.url), await loggedIn(app.url)];
    const posted = browser.post("/held");
    await held.began;
    expect(await other.post("/increment")).toBe(1);
    expect(await browser.get("/data")).toMatchObject({ n: 0 });
    held.goOn();
    expect(await posted).toBe(1);
  });

  it("may be told to take turns although it is a GET", async () => {
    const held = heldRoute();
    const app = await startApp({
      store: new session.MemoryStore(),
      routes: { "GET /held": held.handler },
      middleware: { takesTurn: () => true },
    });
    const browser = await loggedIn(app.url);
    const got = browser.get("/held");
    await held.began;
    const changed = increment(app, browser);
    held.goOn();
    expect(await got).toBe(1);
    expect(await changed).toMatchObject({ n: 2 });
  });

  it("keeps the turn when its client goes away, until the handler has saved", async () => {
    const held = heldRoute();
    const app = await startApp({ store: new session.MemoryStore(), routes: { "POST /held": held.handler } });
    const browser = await loggedIn(app.url);
    const aborted = httpRequest(`${app.url}/held`, { method: "POST", headers: { cookie: browser.cookie as string } });
    const lost = new Promise((resolve) => aborted.once("error", resolve));
    const closed = new Promise((resolve) => app.http.once("request", (_req, res) => res.once("close", resolve)));
    aborted.end();
    await held.began;
    aborted.destroy();
    await lost;
    await closed;
    const changed = increment(app, browser);
    held.goOn();
    expect(await changed).toMatchObject({ n: 2 });
  });

  it("that never ends loses its turn in time", async () => {
    const began = deferred<void>();
    const app = await startApp({
      store: new session.MemoryStore(),
      routes: { "POST /never": () => began.resolve() },
      sessions: { turnTimeoutMs: TURN_TIMEOUT_MS },
    });
    const browser = await loggedIn(app.url);
    stopTime();
    const abort = new AbortController();
    const posted = browser.fetch("POST", "/never", { signal: abort.signal }).catch(() => {});
    await began.promise;
    const changed = increment(app, browser);
    vi.advanceTimersByTime(TURN_TIMEOUT_MS);
    expect(await changed).toMatchObject({ n: 1 });
    abort.abort();
    await posted;
  });

  it("is refused with 503 when too many wait already", async () => {
    const held = heldRoute();
    const app = await startApp({
      store: new session.MemoryStore(),
      routes: { "POST /held": held.handler },
      sessions: { maxWaiting: 1 },
    });
    const browser = await loggedIn(app.url);
    const posted = browser.post("/held");
    await held.began;
    const waiting = increment(app, browser);
    const refused = await browser.fetch("POST", "/increment");
    expect([refused.status, await refused.json()]).toEqual([503, { code: "SIO_SESSION_BUSY" }]);
    await expect(increment(app, browser)).rejects.toMatchObject({ code: "SIO_SESSION_BUSY" });
    held.goOn();
    expect(await posted).toBe(1);
    expect(await waiting).toMatchObject({ n: 2 });
  });

  it("may change its session through the facade also after it has read its body", async () => {
    const app: App = await startApp({
      store: new session.MemoryStore(),
      sessions: { turnTimeoutMs: 60_000 },
      routes: {
        "POST /body": (req, res) => {
          let body = "";
          req.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
          req.on("end", () => {
            const changed = app.sessions.update(req.sessionID, (data) => void (data.user = body));
            changed.then(
              (data) => answer(res, data),
              (error: { code: string }) => answer(res, error.code),
            );
          });
        },
      },
    });
    const browser = await loggedIn(app.url);
    const slow = httpRequest(`${app.url}/body`, { method: "POST", headers: { cookie: browser.cookie as string } });
    const responded = new Promise((resolve) => slow.once("response", resolve));
    const arrived = nextEvent(app.http, "request");
    slow.write("gra");
    await arrived;
    slow.end("ce");
    await responded;
    expect(await browser.get("/data")).toEqual({ user: "grace", n: 0 });
  });

  it("does not bring back a session that was destroyed meanwhile", async () => {
    const held = heldRoute();
    const app = await startApp({
      store: new session.MemoryStore(),
      routes: {
        "POST /held": held.handler,
        "GET /logout": (req, res) => req.session.destroy(() => answer(res, "bye")),
      },
    });
    const browser = await loggedIn(app.url);
    const posted = browser.post("/held");
    await held.began;
    await browser.get("/logout");
    held.goOn();
    await posted;
    expect(await browser.get("/data")).toEqual({});
    await expect(increment(app, browser)).rejects.toMatchObject({ code: "SIO_SESSION_GONE" });
  });
});

describe("a change", () => {
  it("that never ends is given up in time, and saves nothing when it ends later", async () => {
    const app = await startApp({ store: new session.MemoryStore(), sessions: { turnTimeoutMs: TURN_TIMEOUT_MS } });
    const browser = await loggedIn(app.url);
    stopTime();
    const [begun, late] = [deferred<void>(), deferred<void>()];
    const overdue = app.sessions.update(idOf(browser), async (data) => {
      begun.resolve();
      await late.promise;
      data.n = 1_000;
    });
    await begun.promise;
    vi.advanceTimersByTime(TURN_TIMEOUT_MS);
    await expect(overdue).rejects.toMatchObject({ name: "EventError", code: "SIO_SESSION_TIMEOUT" });
    expect(await increment(app, browser)).toMatchObject({ n: 1 });
    late.resolve();
    expect(await increment(app, browser)).toMatchObject({ n: 2 });
  });

  it("within a change of the same session works on what that works on", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    const browser = await loggedIn(app.url);
    const data = await app.sessions.update(idOf(browser), async (draft) => {
      draft.n = 1;
      const failed = app.sessions.update(idOf(browser), (inner) => {
        inner.n = 1_000;
        throw new Error("no");
      });
      await expect(failed).rejects.toThrow("no");
      await Promise.all([increment(app, browser), increment(app, browser)]);
      draft.user = `after ${draft.n}`;
    });
    expect(data).toEqual({ n: 3, user: "after 3" });
    expect(await browser.get("/data")).toEqual({ n: 3, user: "after 3" });
  });

  it("does not bring back a session that was destroyed meanwhile", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    const browser = await loggedIn(app.url);
    const changed = app.sessions.update(idOf(browser), async (data) => {
      data.n = 1;
      await app.sessions.destroy(idOf(browser));
    });
    await expect(changed).rejects.toMatchObject({ code: "SIO_SESSION_GONE" });
    expect(await browser.get("/data")).toEqual({});
  });

  it("cannot be made to the snapshot", async () => {
    const app = await startApp({ store: new session.MemoryStore() });
    const browser = await loggedIn(app.url);
    const connected = nextEvent(app.io, "connection");
    await browser.connect(stockOverWebSocket);
    const [socket] = (await connected) as [{ session: { data: { n: number }; draft: unknown } }];
    expect(() => {
      socket.session.data.n = 5;
    }).toThrow(TypeError);
    expect(() => socket.session.draft).toThrow(expect.objectContaining({ code: "SIO_SESSION_NO_TURN" }));
  });
});
