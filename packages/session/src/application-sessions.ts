import { AsyncLocalStorage } from "node:async_hooks";
import { fromExpressStore } from "./express-store.js";
import { fromFastifyStore, middlewareOfFastify } from "./fastify-requests.js";
import type {
  AnyServer,
  AnySocket,
  ExpressSessionStore,
  FastifyReplyLike,
  FastifyRequestLike,
  OfRequest,
  SessionResponse,
} from "./framework-types.js";
import type { MiddlewareOptions, SocketMiddleware, SocketSessionsOptions } from "./options.js";
import { SocketSessions } from "./socket-sessions.js";

/** Options of `ApplicationSessions`. */
export interface ApplicationSessionsOptions extends Omit<SocketSessionsOptions, "store" | "checkOrigin" | "admitBy"> {
  /** Which requests of Express take turns with sockets. Default: all but GET, HEAD and OPTIONS. */
  takesTurn?: OfRequest<boolean>;
  /** Called once it is known where sessions are. */
  onStart?: () => void;
  /** Called with sockets that come before. */
  onUnknown?: (socket: AnySocket) => void;
}

type GoOn = (error?: Error) => void;

/** Where something runs that is not to be part of the request it began in. */
type Outside = <Result>(code: () => Result) => Result;

/**
 * The sessions of an application of a framework, on its sockets: for integrations. Where they are kept is known with the first
 * request, which comes before the first socket; requests take turns with sockets.
 */
export class ApplicationSessions {
  readonly #io: AnyServer;
  readonly #options: ApplicationSessionsOptions;
  readonly #outsides = new WeakMap<object, Outside>();
  #sessions: SocketSessions | undefined = undefined;
  #admit: SocketMiddleware | undefined = undefined;

  /** @param io - its sockets have their `session` before the middlewares of the program run */
  constructor(io: AnyServer, options: ApplicationSessionsOptions) {
    this.#io = io;
    this.#options = options;
    io.useAlways((socket, next) => {
      if (this.#admit !== undefined) return this.#admit(socket, next);
      options.onUnknown?.(socket);
      next();
    });
  }

  /** Undefined until it is known where they are. */
  get known(): SocketSessions | undefined {
    return this.#sessions;
  }

  /** Says where sessions are. The first time counts. */
  start(store: SocketSessionsOptions["store"]): SocketSessions {
    if (this.#sessions !== undefined) return this.#sessions;
    const { takesTurn: _takesTurn, onStart, onUnknown: _onUnknown, ...options } = this.#options;
    const admitBy = (middleware: SocketMiddleware): void => void (this.#admit = middleware);
    // Integrations have an origin rule of their own, which knows what the application allows.
    this.#sessions = new SocketSessions(this.#io, { ...options, store, checkOrigin: false, admitBy });
    onStart?.();
    return this.#sessions;
  }

  /** Takes a request of Express, before any middleware, and hands it on. */
  enter(req: object, res: SessionResponse, goOn: GoOn): void {
    const outside = AsyncLocalStorage.snapshot() as Outside;
    this.#outsides.set(req, outside);
    if (this.#sessions === undefined) {
      this.#watch(req, res);
      // In a context of its own, which it may enter late.
      return outside(goOn);
    }
    this.#sessions.middleware((_req, _res, next) => next(), this.#turns)(req, res, goOn);
  }

  /** Takes a request of Fastify in `onRequest`, behind `@fastify/session`, and hands it on. */
  enterFastify(request: FastifyRequestLike, reply: FastifyReplyLike, goOn: GoOn): void {
    const sessions = this.start(fromFastifyStore(request.sessionStore as ExpressSessionStore));
    const middleware = middlewareOfFastify(sessions, request);
    if (middleware === undefined) return goOn();
    this.#outsides.set(request.raw, AsyncLocalStorage.snapshot() as Outside);
    middleware(request.raw, reply.raw, goOn);
  }

  /** Hands a handshake on, which has its session now: what begins there outlives the request. */
  leave(req: object, res: SessionResponse, goOn: () => void): void {
    const outside = this.#outsides.get(req);
    if (outside === undefined) return goOn();
    const inside = AsyncLocalStorage.snapshot() as Outside;
    const { end } = res;
    res.end = (...args) => inside((): unknown => Reflect.apply(end, res, args));
    outside(goOn);
  }

  /** Stops watching the store. */
  close(): void {
    this.#sessions?.close();
  }

  get #turns(): MiddlewareOptions {
    const { takesTurn } = this.#options;
    return takesTurn === undefined ? {} : { takesTurn };
  }

  /** `express-session` says where it keeps sessions on each request, before it looks for one. */
  #watch(req: object, res: SessionResponse): void {
    const shape = { configurable: true, enumerable: true };
    // Of another server of the application.
    const others = Object.getOwnPropertyDescriptor(req, "sessionStore")?.set;
    Object.defineProperty(req, "sessionStore", {
      ...shape,
      get: () => undefined,
      set: (store: ExpressSessionStore) => {
        others?.(store);
        Object.defineProperty(req, "sessionStore", { ...shape, value: store, writable: true });
        this.start(fromExpressStore(store)).enterLate(req, res, this.#turns);
      },
    });
  }
}
