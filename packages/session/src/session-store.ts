import type { OfRequest } from "./framework-types.js";

/**
 * What your program keeps in a session. Empty here; say what is in yours:
 *
 * ```ts
 * declare module "@plugboard/session" {
 *   interface SessionData { user?: string; cart?: string[] }
 * }
 * ```
 */
export interface SessionData {}

/** A session as a store keeps it. */
export interface StoredSession {
  /** What the program keeps in it: nothing but what JSON can carry. */
  readonly data: Record<string, unknown>;
  /** When it ends unless it is touched, in milliseconds since 1970; undefined when the store decides. */
  readonly expiresAt: number | undefined;
  /** How much longer it lives after a touch, in milliseconds; undefined when the store decides. */
  readonly lifetimeMs: number | undefined;
  /** What the store keeps beside the data, such as a cookie. Handed back to it as it is. */
  readonly extra?: unknown;
}

/** What a store tells about changes that were made in this process, whoever made them. */
export interface StoreWatcher {
  /** @param changed - false when it is known that the data is what it was, and only its end has moved */
  saved(id: string, session: StoredSession, changed: boolean): void;
  destroyed(id: string): void;
}

/**
 * Where sessions are kept: the port that a framework's session store is brought to. A store without `save` is read-only.
 * Each method rejects with whatever the store below fails with.
 */
export interface SessionStore {
  /** @returns undefined when there is no such session, or it has expired */
  load(id: string): Promise<StoredSession | undefined>;
  /** Writes a session, whose end moves on. Resolves to what was written. */
  save?(id: string, session: StoredSession): Promise<StoredSession>;
  /** Moves the end of a session on without writing its data. Resolves to what it is then. */
  touch?(id: string, session: StoredSession): Promise<StoredSession>;
  destroy?(id: string): Promise<void>;
  /** Tells of every change made in this process, those made by the methods above included. Returns what ends it. */
  watch?(watcher: StoreWatcher): () => void;
}

/** Sessions that travel whole in a cookie: each request brings its own, and nothing can be written without a response. */
export interface RequestSessions {
  /** @returns data of the session that this handshake came with */
  read(request: unknown): object | undefined;
}

/**
 * Sessions that have no store, such as those of `cookie-session`. They can be read; `update`, `touch` and `destroy` reject with
 * code `SIO_SESSION_READ_ONLY`.
 *
 * @param read - takes the session off the request of a handshake. Default: `request.session`
 */
export function fromRequest(read: OfRequest<object | undefined> = sessionOf): RequestSessions {
  return { read };
}

function sessionOf(request: { readonly session?: object } | undefined): object | undefined {
  return request?.session;
}
