import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "@plugboard/server";
import {
  ApplicationSessions,
  fromExpressStore,
  fromRequest,
  type ApplicationSessionsOptions,
  type ExpressSessionStore,
} from "@plugboard/session";
import { demand, expressError, isOptions } from "./express-error.js";
import { NO_SESSION } from "./no-session.js";
import type { Warn } from "./warn-once.js";

/** How sockets share the sessions of requests: options of `@plugboard/session`. */
export interface SessionOptions extends Omit<ApplicationSessionsOptions, "sessionIdOf" | "onStart" | "onUnknown"> {
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

/** The sessions of an application: found by what `express-session` or `cookie-session` leaves on requests. */
export class SharedSessions {
  readonly #sessions: ApplicationSessions;
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
    this.#warn = warn;
    const { store: _store, ...shared } = options;
    this.#sessions = new ApplicationSessions(io, {
      ...shared,
      onStart: () => this.#warnIfBehind(),
      onUnknown: (socket) => Object.assign(socket, { session: NO_SESSION }),
    });
    if (store !== undefined) this.#sessions.start(fromExpressStore(store));
  }

  /** Room of all sockets with the session of a request. */
  roomOf(req: IncomingMessage): string {
    const { sessionID } = (req ?? {}) as Partial<SessionRequest>;
    const { known } = this.#sessions;
    if (sessionID === undefined || known === undefined) {
      throw expressError(
        "SIO_EXPRESS_NO_SESSION",
        "the request has no session: put the session middleware before this one",
      );
    }
    return known.roomOf(sessionID);
  }

  /** Has a request, before any middleware, take turns with sockets. */
  enter(req: IncomingMessage, res: ServerResponse, goOn: (error?: unknown) => void): void {
    this.#sessions.enter(req, res, goOn);
  }

  /** Hands a handshake on, which has its session now: what begins there outlives the request. */
  leave(req: IncomingMessage, res: ServerResponse, goOn: () => void): void {
    const { sessionStore, session } = req as SessionRequest;
    if (sessionStore === undefined && session) this.#sessions.start(fromRequest());
    if (sessionStore === undefined && !session) this.#hadNone = true;
    this.#warnIfBehind();
    this.#sessions.leave(req, res, goOn);
  }

  close(): void {
    this.#sessions.close();
  }

  /** Requests have sessions, and handshakes have none: one of them is in the wrong place. */
  #warnIfBehind(): void {
    if (!this.#hadNone || this.#sessions.known === undefined) return;
    this.#warn(
      "SIO_EXPRESS_SESSION_BEHIND",
      "A handshake of Socket.IO had no session, though other requests have: call app.use(io.middleware()) behind the session middleware, or say socketio(app, { session: false }). A session store that has lost its connection does the same.",
    );
  }
}
