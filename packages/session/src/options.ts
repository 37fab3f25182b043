import type { AnySocket, OfRequest } from "./framework-types.js";
import type { RequestSessions, SessionStore } from "./session-store.js";

/** Options of `SocketSessions`. */
export interface SocketSessionsOptions {
  /** Where sessions are: `fromExpressStore(store)`, `fromRequest()` for those in cookies, or a store of your own. */
  store: SessionStore | RequestSessions;
  /** The secret id of a request's session, once the session middleware has run. Default: its `sessionID`. */
  sessionIdOf?: OfRequest<string | undefined>;
  /**
   * What happens to the sockets of a session that is destroyed, regenerated or expires, on all nodes: `"rehandshake"`
   * closes their connections as if they were lost, so that clients come back and every middleware runs; `"disconnect"` tells the
   * clients, which then stay away; `"ignore"` leaves them. Default: "rehandshake".
   */
  onEnd?: "rehandshake" | "disconnect" | "ignore";
  /**
   * A session is touched when an event of one of its sockets comes in, but not more often than this, in milliseconds, and at
   * least every half of its lifetime. 0: events do not count. Default: 60000.
   */
  touchEveryMs?: number;
  /**
   * How often the sessions of connected sockets are looked up, in milliseconds: for stores in which programs without
   * this package destroy or change them. 0: never. Default: 0.
   */
  revalidateEveryMs?: number;
  /** How long a change, or a request that has its turn, may keep others waiting, in milliseconds. Default: 10000. */
  turnTimeoutMs?: number;
  /** How many changes and requests may wait for their turn with one session. Default: 100. */
  maxWaiting?: number;
  /**
   * Whether pages of other origins are kept out (engine option `checkOrigin`), as has to be where a cookie says who a client
   * is. Leaves the engine's option alone when that is set already. Default: true.
   */
  checkOrigin?: boolean;
  /**
   * Gets the middleware that gives sockets their session, to call it in a place of its own: for integrations, which know the store only
   * when the first request has come, but stand before the middlewares of the program. Default: that of `io.useAlways`.
   */
  admitBy?: (middleware: SocketMiddleware) => void;
}

/** Gives a socket its session; `next` gets an error when that cannot be. */
export type SocketMiddleware = (socket: AnySocket, next: (error?: Error) => void) => void;

/** Options of `SocketSessions.middleware`. */
export interface MiddlewareOptions {
  /**
   * Whether a request waits for its turn with its session, and has it until its response ends. Default: all but GET,
   * HEAD and OPTIONS. Say yes to a GET that changes the session, such as the callback of a login elsewhere.
   */
  takesTurn?: OfRequest<boolean>;
  /**
   * The session that a request has already, with its id: one that takes no turn keeps it, and the wrapped middleware does not run.
   * Default: none has one.
   */
  loaded?: OfRequest<{ readonly id: string; readonly session: object } | undefined>;
  /** The session of a request, as it is now. Default: its `session`. */
  sessionOf?: OfRequest<object | null | undefined>;
}
