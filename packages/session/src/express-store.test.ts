import { EventEmitter } from "node:events";
import { Server } from "@plugboard/server";
import { describe, expect, it } from "vitest";
import { fromExpressStore } from "./express-store.js";
import type { SessionMiddleware } from "./framework-types.js";
import { SocketSessions } from "./socket-sessions.js";
import type { StoredSession } from "./session-store.js";

interface Record {
  cookie?: object;
  [key: string]: unknown;
}

/** A store as the port of express-session describes it: with callbacks, and without `touch`. */
class CallbackStore {
  readonly sessions = new Map<string, string>();
  failing: Error | undefined = undefined;

  get(id: string, callback: (error: unknown, session?: Record | null) => void): void {
    const text = this.sessions.get(id);
    setImmediate(() => callback(this.failing, text === undefined ? null : (JSON.parse(text) as Record)));
  }
  set(id: string, session: Record, callback?: (error?: unknown) => void): void {
    if (this.failing === undefined) this.sessions.set(id, JSON.stringify(session));
    if (callback) setImmediate(() => callback(this.failing));
  }
  destroy(id: string, callback?: (error?: unknown) => void): void {
    this.sessions.delete(id);
    if (callback) setImmediate(callback);
  }
}

/** One whose methods answer with promises when they get no callback. */
class PromisingStore extends CallbackStore {
  override async set(id: string, session: Record, callback?: (error?: unknown) => void): Promise<void> {
    await new Promise<void>((resolve) => super.set(id, session, () => resolve()));
    callback?.(this.failing);
    if (this.failing !== undefined && callback === undefined) throw this.failing;
  }
}

function watched(store: CallbackStore) {
  const port = fromExpressStore(store);
  const seen: unknown[] = [];
  port.watch?.({
    saved: (id, { data }, changed) => seen.push(["saved", id, data, changed]),
    destroyed: (id) => seen.push(["destroyed", id]),
  });
  return { port, seen };
}

describe("a store of express-session", () => {
  it("is brought to the port once, whoever asks", () => {
    const store = new CallbackStore();
    expect(fromExpressStore(store)).toBe(fromExpressStore(store));
  });

  it("gives data and end of a session apart from its cookie, and takes them back with a later end", async () => {
    const store = new CallbackStore();
    const { port, seen } = watched(store);
    const expires = new Date(Date.now() + 5_000);
    store.set("a", { n: 1, cookie: { path: "/", originalMaxAge: 60_000, expires } });
    const session = (await port.load("a")) as StoredSession;
    expect(session).toMatchObject({ data: { n: 1 }, expiresAt: expires.valueOf(), lifetimeMs: 60_000 });
    await port.save?.("a", { ...session, data: { n: 2 } });
    const stored = JSON.parse(store.sessions.get("a") as string) as {
      n: number;
      cookie: { path: string; expires: string };
    };
    expect(stored.n).toBe(2);
    expect(stored.cookie.path).toBe("/");
    expect(Date.parse(stored.cookie.expires)).toBeGreaterThan(expires.valueOf() + 50_000);
    expect(seen.at(-1)).toEqual(["saved", "a", { n: 2 }, true]);
  });

  it("that cannot touch gets its own data again, with a later end", async () => {
    const store = new CallbackStore();
    const { port } = watched(store);
    store.set("a", { n: 1, cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 5_000) } });
    const session = (await port.load("a")) as StoredSession;
    store.set("a", { n: 2, cookie: session.extra as object });
    await port.touch?.("a", session);
    const stored = JSON.parse(store.sessions.get("a") as string) as { n: number; cookie: { expires: string } };
    expect(stored.n).toBe(2);
    expect(Date.parse(stored.cookie.expires)).toBeGreaterThan(Date.now() + 50_000);
  });

  it.each([
    ["has no such session", null, undefined],
    ["says so by the code of a missing file", Object.assign(new Error("no file"), { code: "ENOENT" }), undefined],
    ["fails", new Error("down"), "down"],
  ])("that %s is understood", async (_what, failing, message) => {
    const store = new CallbackStore();
    const { port } = watched(store);
    store.failing = failing ?? undefined;
    const loaded = port.load("a");
    if (message === undefined) expect(await loaded).toBeUndefined();
    else await expect(loaded).rejects.toThrow(message);
  });

  it("is heard of whatever others do with it, with callbacks, promises or neither", async () => {
    const store = new PromisingStore();
    const { seen } = watched(store);
    await store.set("a", { n: 1 });
    await new Promise<void>((resolve) => void store.set("a", { n: 2 }, () => resolve()));
    store.destroy("a");
    expect(seen).toEqual([
      ["saved", "a", { n: 1 }, true],
      ["saved", "a", { n: 2 }, true],
      ["destroyed", "a"],
    ]);
  });

  it("that failed to write has written nothing", async () => {
    const store = new PromisingStore();
    const { port, seen } = watched(store);
    store.failing = new Error("down");
    await expect(store.set("a", { n: 1 })).rejects.toThrow("down");
    const session = { data: {}, expiresAt: undefined, lifetimeMs: undefined };
    await expect(port.save?.("a", session)).rejects.toThrow("down");
    expect(seen).toEqual([]);
  });

  it("takes a session whose end has passed for a destroyed one", () => {
    const store = new CallbackStore();
    const { seen } = watched(store);
    store.set("a", { cookie: { expires: new Date(Date.now() - 1) } });
    expect(seen).toEqual([["destroyed", "a"]]);
  });
});

it("a request that several servers stand around has one turn for all of them", async () => {
  const store = new CallbackStore();
  store.set("a", { n: 1 });
  const [outer, inner] = [1, 2].map(() => new SocketSessions(new Server(), { store: fromExpressStore(store) }));
  const load: SessionMiddleware = (req: { session?: object }, _res, next) =>
    void store.get("a", (error, session) => {
      req.session = session as object;
      next(error);
    });
  const req = { method: "POST" };
  const res = Object.assign(new EventEmitter(), { end: () => {} });
  await new Promise((resolve) => {
    const around = inner?.middleware(load) as SessionMiddleware;
    outer?.middleware((req, res, next) => load(req, res, () => around(req, res, next)))(req, res, resolve);
  });
  const updated = outer?.update("a", (data) => Object.assign(data, { n: 2 }));
  expect(JSON.parse(store.sessions.get("a") as string)).toEqual({ n: 1 });
  res.end();
  expect(await updated).toEqual({ n: 2 });
});
