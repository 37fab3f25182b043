import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "@plugboard/server";
import {
  fromExpressStore,
  fromRequest,
  SocketSessions,
  type ExpressSessionStore,
  type MiddlewareOptions,
  type SocketMiddleware,
  type SocketSessionsOptions,
} from "@plugboard/session";
import { demand, expressError, isOptions } from "./express-error.js";
import { NO_SESSION } from "./no-session.js";
import type { Warn } from "./warn-once.js";

/** How sockets share the sessions of requests: options of `@plugboard/session`. */
export interface SessionOptions extends Omit<
  SocketSessionsOptions,
  "store" | "checkOrigin" | "sessionIdOf" | "admitBy"
> {
  /** The store that `express-session` was given. Default: found with the first request. */
  store?: ExpressSessionStore;
  /** Which requests take turns with sockets. Default: all but GET, HEAD and OPTIONS. */
  takesTurn?: (request: IncomingMessage) => boolean;
}

interface SessionRequest extends IncomingMessage {
  sessionStore?: ExpressSessionStore;
  session?: object | null;
  sessionID?: string;
}

/** Where something runs that is not to be part of the request it began in. */
type Outside = <Result>(code: () => Result) => Result;

/** The sessions of an application: found by what `express-session` or `cookie-session` leaves on requests. */
export class SharedSessions {
  readonly #io: Server;
  readonly #options: SessionOptions;
  readonly #outsides = new WeakMap<IncomingMessage, Outside>();
  #sessions: SocketSessions | undefined = undefined;
  #admit: SocketMiddleware | undefined = undefined;
  readonly #warn: Warn;
  #hadNone = false;

  constructor(io: Server, options: SessionOptions, warn: Warn) {
    demand(
      isOptions(options),
      "the option session has to be an object of options, or false; the session middleware goes to app.use",
    );
    const { store, takesTurn, onEnd } = options;
    demand(
      store === undefined || (typeof store?.get === "function" && typeof store.set === "function"),
      "the option session.store has to be the store that express-session was given",
    );
    demand(takesTurn === undefined || typeof takesTurn === "function", "session.takesTurn has to be a function");
    demand(
      onEnd === undefined || ["rehandshake", "disconnect", "ignore"].includes(onEnd),
      'session.onEnd has to be "rehandshake", "disconnect" or "ignore"',
    );
    this.#io = io;
    this.#options = options;
    this.#warn = warn;
    // Now, to come before the middlewares of the program.
    io.useAlways((socket, next) => {
      if (this.#admit !== undefined) return this.#admit(socket, next);
      Object.assign(socket, { session: NO_SESSION });
      next();
    });
    if (store !== undefined) this.#learn(store);
  }

  /** Room of all sockets with the session of a request. */
  roomOf(req: IncomingMessage): string {
    const { sessionID } = (req ?? {}) as Partial<SessionRequest>;
    if (sessionID === undefined || this.#sessions === undefined) {
      throw expressError(
        "SIO_EXPRESS_NO_SESSION",
        "the request has no session: put the session middleware before this one",
      );
    }
    return this.#sessions.roomOf(sessionID);
  }

  /** Has a request, before any middleware, take turns with sockets. */
  enter(req: IncomingMessage, res: ServerResponse, goOn: (error?: unknown) => void): void {
    const outside = AsyncLocalStorage.snapshot() as Outside;
    this.#outsides.set(req, outside);
    if (this.#sessions === undefined) {
      this.#watch(req, res);
      return outside(goOn);
    }
    this.#sessions.middleware((_req, _res, next) => next(), this.#turns)(req, res, goOn);
  }

  /** Hands a handshake on, which has its session now: what begins there outlives the request. */
  leave(req: IncomingMessage, res: ServerResponse, goOn: () => void): void {
    const { sessionStore, session } = req as SessionRequest;
    if (this.#sessions === undefined && sessionStore === undefined && session) this.#start(fromRequest());
    if (sessionStore === undefined && !session) this.#hadNone = true;
    this.#warnIfBehind();
    const outside = this.#outsides.get(req);
    if (outside === undefined) return goOn();
    const inside = AsyncLocalStorage.snapshot() as Outside;
    const end = res.end;
    res.end = ((...args: unknown[]) => inside((): unknown => Reflect.apply(end, res, args))) as typeof res.end;
    outside(goOn);
  }

  close(): void {
    this.#sessions?.close();
  }

  get #turns(): MiddlewareOptions {
    const { takesTurn } = this.#options;
    return takesTurn === undefined ? {} : { takesTurn };
  }

  /** `express-session` says where it keeps sessions on each request, before it looks for one. */
  #watch(req: IncomingMessage, res: ServerResponse): void {
    Object.defineProperty(req, "sessionStore", {
      configurable: true,
      enumerable: true,
      get: () => undefined,
      set: (store: ExpressSessionStore) => {
        Object.defineProperty(req, "sessionStore", {
          value: store,
          configurable: true,
          enumerable: true,
          writable: true,
        });
        if (this.#sessions === undefined) this.#learn(store);
        this.#sessions?.enterLate(req, res, this.#turns);
      },
    });
  }

  #learn(store: ExpressSessionStore): void {
    this.#start(fromExpressStore(store));
    this.#warnIfBehind();
  }

  /** Requests have sessions, and handshakes have none: one of them is in the wrong place. */
  #warnIfBehind(): void {
    if (!this.#hadNone || this.#sessions === undefined) return;
    this.#warn(
      "SIO_EXPRESS_SESSION_BEHIND",
      "A handshake of Socket.IO had no session, though other requests have: call app.use(io.middleware()) behind the session middleware, or say socketio(app, { session: false }). A session store that has lost its connection does the same.",
    );
  }

  #start(store: SocketSessionsOptions["store"]): void {
    const { store: _store, takesTurn: _takesTurn, ...options } = this.#options;
    const admitBy = (middleware: SocketMiddleware): void => void (this.#admit = middleware);
    this.#sessions = new SocketSessions(this.#io, { ...options, store, checkOrigin: false, admitBy });
  }
}
