import type { IncomingMessage } from "node:http";
import type { Server, Socket } from "@plugboard/server";
import {
  fromExpressStore,
  SocketSessions,
  type ExpressSessionStore,
  type SessionStore,
  type SocketMiddleware,
} from "@plugboard/session";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { invalidOption } from "./check-options.js";
import { fastifyRequestOf } from "./handshake-requests.js";
import type { SessionOptions } from "./options.js";
import { pluginError } from "./plugin-error.js";
import { scoped } from "./scoped.js";
import { SecureSessions } from "./secure-sessions.js";

/** The sessions of an application, as long as its sockets share them. */
export interface SharedSessions {
  /** The room that all sockets of a session are in. */
  roomOf(id: string): string;
  close(): void;
}

/** What `@fastify/session` puts on requests. */
interface SessionRequest {
  readonly sessionStore: ExpressSessionStore;
  readonly cookies?: Readonly<Record<string, string | undefined>>;
  session?: StoredSession | null;
}

interface StoredSession {
  readonly sessionId?: string;
  readonly encryptedSessionId?: string;
  reload(done: (error?: Error) => void): void;
  regenerate(done: (error?: Error) => void): void;
}

/**
 * Gives sockets the sessions of `@fastify/session` or `@fastify/secure-session`, whichever is registered.
 *
 * @param wanted - default: if there are any
 * @throws PluginError with code `SIO_FASTIFY_NO_SESSION` when they are wanted, and there are none
 */
export function shareSessions(
  app: FastifyInstance,
  io: Server,
  wanted: boolean | SessionOptions | undefined,
): SharedSessions | undefined {
  if (wanted === false) return undefined;
  const options = typeof wanted === "object" ? wanted : {};
  if (app.hasRequestDecorator("sessionStore")) {
    if (options.name === undefined) return new StoreSessions(app, io, options);
    throw invalidOption("the option session.name is for @fastify/secure-session, and @fastify/session is registered");
  }
  if (app.hasDecorator("decodeSecureSession")) return new SecureSessions(app, io, options);
  if (wanted === undefined) return undefined;
  throw pluginError(
    "SIO_FASTIFY_NO_SESSION",
    "the option session needs @fastify/session or @fastify/secure-session: register it before @plugboard/fastify",
  );
}

/** Whether a plugin of sessions is registered by now. */
export function hasSessions(app: FastifyInstance): boolean {
  return app.hasRequestDecorator("sessionStore") || app.hasDecorator("decodeSecureSession");
}

/**
 * The sessions of `@fastify/session`. Where they are stored is known with the first request, which comes before the first
 * socket.
 */
class StoreSessions implements SharedSessions {
  readonly #io: Server;
  readonly #options: SessionOptions;
  #sessions: SocketSessions | undefined = undefined;
  #admit: SocketMiddleware | undefined = undefined;
  /** Ids of the sessions that requests have come with. */
  readonly #arrivals = new WeakMap<FastifyRequest, string>();

  constructor(app: FastifyInstance, io: Server, options: SessionOptions) {
    this.#io = io;
    this.#options = options;
    // Now, to be before the middlewares of the program.
    io.useAlways((socket, next) => {
      if (this.#admit === undefined) next();
      else this.#admit(socket, (error) => next(error ?? this.#endIfGone(socket)));
    });
    app.addHook("onRequest", (request, reply, done) => this.#onRequest(request, reply, done));
  }

  roomOf(id: string): string {
    // Without a request before there is no socket either.
    return this.#sessions?.roomOf(id) ?? id;
  }

  close(): void {
    this.#sessions?.close();
  }

  /** Hooks have let it in with a session that has ended since. */
  #endIfGone(socket: Socket): Error | undefined {
    const request = fastifyRequestOf(socket.request);
    const id = request && this.#arrivals.get(request);
    if (request === undefined || id === undefined || this.#options.onEnd === "ignore") return undefined;
    if (sessionIdOf(request) !== id || socket.rooms.has(this.roomOf(id))) return undefined;
    // Nothing has been agreed with its client: it may try again.
    socket.rehandshake("session destroyed");
    return new Error("session destroyed");
  }

  #start(store: ExpressSessionStore): SocketSessions {
    return new SocketSessions(this.#io, {
      ...this.#options,
      store: withoutExpired(fromExpressStore(store)),
      sessionIdOf,
      // The origin rule of the plugin knows what @fastify/cors allows.
      checkOrigin: false,
      admitBy: (middleware) => void (this.#admit = middleware),
    });
  }

  /**
   * Requests that change things take turns with sockets: so each looks at its session once more when it has its turn. What a
   * request has only read it does not write.
   */
  #onRequest(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    const { sessionStore, session, cookies } = request as unknown as SessionRequest;
    this.#sessions ??= this.#start(sessionStore);
    const id = session?.sessionId;
    const signed = session?.encryptedSessionId;
    // The cookie may have any name, and a prefix in front of the id.
    const isNew = signed === undefined || !Object.values(cookies ?? {}).some((cookie) => cookie?.endsWith(signed));
    if (!session || id === undefined || isNew) return done();
    this.#arrivals.set(request, id);
    const current = (): StoredSession | null | undefined => (request as unknown as SessionRequest).session;
    // A scope of `@plugboard/session` looks at requests of Node; those have no session here.
    const subject = scoped(request.raw, {
      get session() {
        return current();
      },
    });
    const middleware = this.#sessions.middleware(
      (_request, _response, next) => {
        sessionStore.get(id, (error: unknown, found: unknown) => {
          if (error) next(error);
          else if (!found) current()?.regenerate(next);
          else if (hasChanged(session, found)) current()?.reload(next);
          else next();
        });
      },
      { loaded: () => ({ id, session }) },
    );
    middleware(subject, reply.raw, done);
  }
}

/** Whether the store has other data by now than a request was given. */
function hasChanged(session: object, found: object): boolean {
  return JSON.stringify({ ...session, cookie: undefined }) !== JSON.stringify({ ...found, cookie: undefined });
}

/**
 * `@fastify/session` looks at the end of a session itself, and its own store keeps those that have expired. The same object is
 * given back, for it is what changes take turns by.
 */
function withoutExpired(store: SessionStore): SessionStore {
  const load = store.load.bind(store);
  store.load = async (id) => {
    const stored = await load(id);
    return stored?.expiresAt !== undefined && stored.expiresAt <= Date.now() ? undefined : stored;
  };
  return store;
}

function sessionIdOf(request: IncomingMessage | FastifyRequest): string | undefined {
  const found = fastifyRequestOf(request) as unknown as SessionRequest | undefined;
  return found?.session?.sessionId;
}
