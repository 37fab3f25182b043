import type { AnyServer, SessionMiddleware, SessionResponse } from "./framework-types.js";
import { holdings, type Change } from "./holding.js";
import type { MiddlewareOptions, SocketSessionsOptions } from "./options.js";
import { SessionCore } from "./session-core.js";
import { roomOf } from "./session-room.js";
import type { SessionData } from "./session-store.js";
import type { DeepReadonly, SocketSession } from "./socket-session.js";

const SAFE_METHODS: ReadonlySet<unknown> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Gives every socket of a server the session of its HTTP requests, as `socket.session`, and ends sockets with it.
 *
 * ```ts
 * const sessions = new SocketSessions(io, { store: fromExpressStore(store) });
 * app.use(sessions.middleware(session({ store, ... })));
 * io.engine.use(sessions.handshakeOnly(session({ store, ... })));
 * ```
 */
export class SocketSessions {
  readonly #core: SessionCore;

  /** @param io - attached or not; its sockets have their `session` before any other middleware runs */
  constructor(io: AnyServer, options: SocketSessionsOptions) {
    this.#core = new SessionCore(io, options);
  }

  /**
   * Wraps the session middleware of HTTP requests: changes by requests and by sockets take turns, and a request that has only read
   * its session does not write it, whatever `resave` says. Requests that are not GET, HEAD or OPTIONS have the turn from the
   * loading of the session to the end of their response, at most for `turnTimeoutMs`; when too many wait already they get an
   * error with code `SIO_SESSION_BUSY` and status 503.
   */
  middleware(session: SessionMiddleware, options: MiddlewareOptions = {}): SessionMiddleware {
    const takesTurn = options.takesTurn ?? changesThings;
    return (req, res, next) => {
      const waits = takesTurn(req);
      const scope = this.#core.scopeOf(req, res, waits, options.sessionOf);
      const goOn = (error?: unknown): void => {
        scope.followTo(res);
        next(error);
      };
      const known = waits ? undefined : options.loaded?.(req);
      if (known === undefined) return scope.enter(() => session(req, res, goOn));
      void scope.begin(known.id);
      scope.loaded(known.session);
      return scope.enter(() => goOn());
    };
  }

  /**
   * The same for a request that is within its session middleware already, which is about to ask the store: what the caller goes on
   * with has its turn. For integrations, which get to know the store that way; each request is to have an async context of its own.
   */
  enterLate(req: object, res: SessionResponse, { takesTurn = changesThings }: MiddlewareOptions = {}): void {
    const scope = this.#core.scopeOf(req, res, takesTurn(req as never));
    scope.followTo(res);
    holdings.enterWith(scope);
  }

  /**
   * Wraps the session middleware of the engine: it runs for handshakes alone, so that polls neither load nor save a session, and
   * what a handshake has only read it does not write.
   */
  handshakeOnly(session: SessionMiddleware): SessionMiddleware {
    return (req, res, next) => {
      // An empty one counts as none for the engine.
      if (req._query?.sid || req.method === "OPTIONS") return next();
      const scope = this.#core.scopeOf(req, res, false);
      const outside = holdings.getStore();
      return scope.enter(() =>
        session(req, res, (error) => {
          scope.followTo(res);
          // Nothing is saved at the end of an upgrade, which comes when the connection is over.
          if (req._query?.transport === "websocket") scope.end();
          // What begins here goes on long after the request.
          holdings.run(outside, () => next(error));
        }),
      );
    };
  }

  /** Changes a session, as `socket.session.update` does; for HTTP handlers: `sessions.update(req.sessionID, ...)`. */
  update(id: string, change: (data: SessionData) => unknown): Promise<DeepReadonly<SessionData>> {
    return this.#core.update(id, change as Change, undefined) as Promise<DeepReadonly<SessionData>>;
  }

  /** Moves the end of a session on. */
  touch(id: string): Promise<void> {
    return this.#core.touch(id);
  }

  /** Destroys a session, and ends its sockets on all nodes. */
  destroy(id: string): Promise<void> {
    return this.#core.destroy(id);
  }

  /** The room that all sockets of a session are in: `io.to(sessions.roomOf(req.sessionID)).emit(...)`. */
  roomOf(id: string): string {
    return roomOf(id);
  }

  /** Stops watching the store. Sockets that are there keep what they know. */
  close(): void {
    this.#core.close();
  }
}

function changesThings({ method }: { method?: unknown }): boolean {
  return !SAFE_METHODS.has(method);
}

declare module "@plugboard/server" {
  interface Socket {
    /** The session of the client's HTTP requests, once there is a `SocketSessions` for the server. */
    readonly session: SocketSession;
  }
}
