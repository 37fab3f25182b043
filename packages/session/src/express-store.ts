import type { ExpressSessionStore } from "./framework-types.js";
import { copyOf, type JsonData } from "./json-data.js";
import { currentScope, type RequestScope } from "./request-scope.js";
import type { SessionStore, StoredSession, StoreWatcher } from "./session-store.js";
import { turnsOf, type Turns } from "./turns.js";

type Done = (error?: unknown) => void;
type Loaded = (error: unknown, session?: object | null) => void;

interface Cookie {
  readonly originalMaxAge?: unknown;
  readonly expires?: unknown;
}

/** One turn of a store that cannot touch; what is waited for is the store itself. */
const LIMITS = { maxWaiting: 1_000, timeoutMs: 10_000 };

/**
 * A store of `express-session` brought to {@link SessionStore}. Its methods are replaced on the store itself, so that what the
 * session middleware does with it is seen: which sessions change and end, and when a request begins to use one.
 */
class ExpressStore implements SessionStore {
  readonly #store: Required<Omit<ExpressSessionStore, "touch">> & Pick<ExpressSessionStore, "touch">;
  readonly #turns: Turns;
  readonly #watchers = new Set<StoreWatcher>();

  constructor(store: ExpressSessionStore) {
    this.#turns = turnsOf(this);
    const touch = typeof store.touch === "function" ? store.touch.bind(store) : undefined;
    this.#store = {
      get: store.get.bind(store),
      set: store.set.bind(store),
      destroy: store.destroy.bind(store),
      ...(touch && { touch }),
    };
    store.get = (id, callback) => this.#get(id, callback);
    store.set = (id, session, callback) => this.#set(id, session, callback);
    store.destroy = (id, callback) => this.#destroy(id, callback);
    if (touch) store.touch = (id, session, callback) => this.#touch(id, session, callback);
  }

  // For socket sessions.

  async load(id: string): Promise<StoredSession | undefined> {
    const record = await new Promise<object | null | undefined>((resolve, reject) => {
      this.#store.get(id, (error, session) => {
        // Stores of files say so when there is none; the session middleware takes it as that too.
        if (error && (error as { code?: unknown }).code !== "ENOENT") reject(error as Error);
        else resolve(error ? undefined : (session as object | null | undefined));
      });
    });
    return record ? storedOf(record) : undefined;
  }

  async save(id: string, session: StoredSession): Promise<StoredSession> {
    const record = recordOf(session);
    await settled((done) => this.#store.set(id, record, done));
    const stored = storedOf(record);
    this.#tellSaved(id, stored, true);
    return stored;
  }

  async touch(id: string, session: StoredSession): Promise<StoredSession> {
    const record = recordOf(session);
    await settled((done) => this.#renew(id, record, done));
    const stored = storedOf(record);
    this.#tellSaved(id, stored, false);
    return stored;
  }

  destroy(id: string): Promise<void> {
    return settled((done) => this.#destroy(id, done));
  }

  watch(watcher: StoreWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  // In place of the store's own methods.

  #get(id: string, callback: Loaded): unknown {
    const scope = typeof callback === "function" ? currentScope(this.#turns) : undefined;
    // The first one of a request loads its session, later ones load it anew.
    if (scope === undefined || scope.id !== undefined) return this.#store.get(id, callback);
    const load = (): void => {
      this.#store.get(id, (error, session) => {
        scope.loaded(session as object | null | undefined);
        scope.enter(() => callback(error, session));
      });
    };
    const waited = scope.begin(id);
    if (waited === undefined) return load();
    return void waited.then(load, (error: unknown) => scope.enter(() => callback(error)));
  }

  #set(id: string, session: object, callback: Done | undefined): unknown {
    const scope = this.#scopeOf(id, session);
    const unchanged = scope?.isUnchanged(session) ?? false;
    // A request that has no turn must not write what it has only read: others may have changed it since.
    if (unchanged && scope?.open === false) return this.#touch(id, session, callback);
    if (scope?.isVoid) return callback?.();
    const stored = storedOf(session);
    return following(
      callback,
      (done) => this.#store.set(id, session, done),
      () => {
        scope?.stored(session);
        if (stored.expiresAt !== undefined && stored.expiresAt <= Date.now()) this.#tellDestroyed(id);
        else this.#tellSaved(id, stored, !unchanged);
      },
    );
  }

  #touch(id: string, session: object, callback: Done | undefined): unknown {
    const { expiresAt, lifetimeMs, extra } = storedOf(session);
    return following(
      callback,
      (done) => this.#renew(id, session, done),
      () => {
        this.#tellSaved(id, { data: {}, expiresAt, lifetimeMs, extra }, false);
      },
    );
  }

  #destroy(id: string, callback: Done | undefined): unknown {
    // A request that destroys the session while it has the turn knows what it does, and may make another of the same id.
    const scope = currentScope(this.#turns);
    if (!(scope?.open && scope.id === id)) this.#turns.destroyed(id);
    return following(
      callback,
      (done) => this.#store.destroy(id, done),
      () => this.#tellDestroyed(id),
    );
  }

  #scopeOf(id: string, session: object): RequestScope | undefined {
    const scope = currentScope(this.#turns);
    return scope?.isOf(id, session) ? scope : undefined;
  }

  /** Moves the end of a session on; a store that cannot do that gets its own data again, with a later end. */
  #renew(id: string, session: object, done: Done | undefined): unknown {
    if (this.#store.touch !== undefined) return this.#store.touch(id, session, done);
    const { cookie } = session as { cookie?: unknown };
    const renewed = this.#turns.run(id, LIMITS, async () => {
      const current = await this.load(id);
      if (current !== undefined) await settled((saved) => this.#store.set(id, { ...current.data, cookie }, saved));
    });
    return void renewed.then(() => done?.(), done);
  }

  #tellSaved(id: string, session: StoredSession, changed: boolean): void {
    for (const watcher of this.#watchers) watcher.saved(id, session, changed);
  }

  #tellDestroyed(id: string): void {
    for (const watcher of this.#watchers) watcher.destroyed(id);
  }
}

const brought = new WeakMap<object, SessionStore>();

/**
 * Sessions of `express-session`, or of a store with the same methods, kept anywhere: in memory, Redis, PostgreSQL.
 * Give the session middleware the same store. Its methods are replaced on the object, once: whoever uses it later
 * is seen.
 *
 * @param store - with `get`, `set`, `destroy`, taking callbacks, and perhaps `touch`
 */
export function fromExpressStore(store: ExpressSessionStore): SessionStore {
  let known = brought.get(store);
  if (known === undefined) brought.set(store, (known = new ExpressStore(store)));
  return known;
}

/** @param session - with a `cookie`: an object of the session middleware, or what it is when it is read again */
function storedOf(session: object): StoredSession {
  const { cookie } = session as { cookie?: Cookie };
  const { originalMaxAge, expires } = cookie ?? {};
  const expiresAt = expires === undefined || expires === null ? NaN : Number(new Date(expires as string));
  return {
    data: copyOf(session),
    expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
    lifetimeMs: typeof originalMaxAge === "number" ? originalMaxAge : undefined,
    extra: cookie,
  };
}

/** What is stored, its end moved on as the session middleware does with each request. */
function recordOf({ data, lifetimeMs, extra }: StoredSession): object {
  const cookie: JsonData = JSON.parse(JSON.stringify(extra ?? {})) as JsonData;
  if (lifetimeMs !== undefined) {
    cookie["expires"] = new Date(Date.now() + lifetimeMs);
    // Some stores look at this, which is no part of what is stored.
    Object.defineProperty(cookie, "maxAge", { value: lifetimeMs, enumerable: false });
  }
  return { ...data, cookie };
}

/** @throws what the callback gets */
function settled(call: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error as Error) : resolve()));
  });
}

/** Calls a method of a store and goes on when it has succeeded, before its caller does. */
function following(callback: Done | undefined, call: (done?: Done) => unknown, goOn: () => void): unknown {
  if (typeof callback === "function") {
    return call((error) => {
      if (!error) goOn();
      callback(error);
    });
  }
  // Without a callback, stores answer with a promise or not at all.
  const result = call();
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") {
    goOn();
    return result;
  }
  return (result as PromiseLike<unknown>).then((value) => {
    goOn();
    return value;
  });
}
