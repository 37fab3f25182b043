import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "@plugboard/server";
import {
  fromExpressStore,
  fromRequest,
  SocketSessions,
  type ExpressSessionStore,
  type SessionStore,
  type SocketMiddleware,
  type SocketSessionsOptions,
} from "@plugboard/session";
import { platformRequest } from "./platform-front.js";

/** How sockets share the sessions of the application: options of `@plugboard/session`. */
export type SessionOptions = Omit<SocketSessionsOptions, "store" | "sessionIdOf" | "checkOrigin" | "admitBy">;

/** What `express-session` and `@fastify/session` put on requests; `cookie-session` and `@fastify/secure-session` give no store. */
interface SessionRequest {
  readonly sessionStore?: ExpressSessionStore;
  readonly sessionID?: string;
  readonly session?: { readonly sessionId?: string; data?: () => object | undefined } | null;
}

/**
 * The sessions of an application, on its sockets. Where they are kept is known with the first handshake that has one, which
 * comes before its socket.
 */
export class SharedSessions {
  readonly #io: Server;
  readonly #options: SessionOptions;
  #sessions: SocketSessions | undefined = undefined;
  #admit: SocketMiddleware | undefined = undefined;
  /** Handshakes that came with a session. */
  readonly #found = new WeakSet<IncomingMessage>();

  constructor(io: Server, options: SessionOptions) {
    this.#io = io;
    this.#options = options;
    // Now, to come before guards and middlewares.
    io.useAlways((socket, next) => {
      if (this.#admit === undefined) next();
      else this.#admit(socket, (error) => next(error ?? this.#loss(socket)));
    });
  }

  /** A client may wait with its socket until its session is no more; what the application has put on the handshake still knows it. */
  #loss(socket: Socket): Error | undefined {
    if (this.#options.onEnd === "ignore" || socket.session.exists || !this.#found.has(socket.request)) return undefined;
    // A refusal would keep the client away; that of a lost connection comes back.
    socket.rehandshake("session destroyed");
    return new Error("session destroyed");
  }

  /** Looks at a handshake that has passed the application. */
  learn(request: IncomingMessage): void {
    const id = sessionIdOf(request);
    if (id !== undefined && hasCookieWith(id, request)) this.#found.add(request);
    if (this.#sessions !== undefined) return;
    const { sessionStore, session } = platformRequest(request) as SessionRequest;
    if (sessionStore !== undefined) this.#start(withoutExpired(fromExpressStore(sessionStore)));
    else if (session) this.#start(fromRequest(dataOf));
  }

  /** Stops watching the store. */
  close(): void {
    this.#sessions?.close();
  }

  #start(store: SocketSessionsOptions["store"]): void {
    const admitBy = (middleware: SocketMiddleware): void => void (this.#admit = middleware);
    this.#sessions = new SocketSessions(this.#io, {
      ...this.#options,
      store,
      sessionIdOf,
      checkOrigin: false,
      admitBy,
    });
  }
}

function sessionIdOf(request: IncomingMessage): string | undefined {
  const { sessionID, session } = platformRequest(request) as SessionRequest;
  return sessionID ?? session?.sessionId;
}

/** Whether the client has said this id; otherwise its session has just begun, and may never be stored. */
function hasCookieWith(id: string, { headers: { cookie = "" } }: IncomingMessage): boolean {
  return cookie.split(";").some((text) => {
    try {
      return text.includes(id) || decodeURIComponent(text).includes(id);
    } catch {
      return false;
    }
  });
}

function dataOf(request: IncomingMessage): object | undefined {
  const { session } = platformRequest(request) as SessionRequest;
  return typeof session?.data === "function" ? session.data() : (session ?? undefined);
}

/** `@fastify/session` looks at the end of a session itself: its own store keeps those that have expired. */
function withoutExpired(store: SessionStore): SessionStore {
  const load = store.load.bind(store);
  store.load = async (id) => {
    const stored = await load(id);
    return stored?.expiresAt !== undefined && stored.expiresAt <= Date.now() ? undefined : stored;
  };
  return store;
}
