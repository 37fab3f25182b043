import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AsyncApiDocument } from "@plugboard/contract";
import { limitEvents, limitHandshakes } from "@plugboard/rate-limit";
import {
  Server,
  type ListenerFailure,
  type Namespace,
  type NamespaceMatcher,
  type Room,
  type ServerOptions,
  type Socket,
} from "@plugboard/server";
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from "fastify";
import { describeEvents, type AsyncApiOptions } from "./async-api.js";
import { DeclaredEvent } from "./declared-event.js";
import { registerEvent, type RegisterHandler } from "./event-handler.js";
import { EventScopes, type EventScope } from "./event-scope.js";
import type { EventHooks, EventOptions, HookContext, HookSocket } from "./event-types.js";
import { fastifyRequestOf } from "./handshake-requests.js";
import { Mount } from "./mount.js";
import type { ResolvedOptions } from "./options.js";
import { pluginError } from "./plugin-error.js";
import { scoped } from "./scoped.js";
import { shareSessions, type SharedSessions } from "./sessions.js";
import type { FastifyEventContext, FastifySocketServer, SessionReference } from "./types.js";

/** How long the last answers may take to leave, in milliseconds, when `preClose` has used up all the time. */
const MIN_CLOSE_MS = 250;

/** One Socket.IO server in an application of Fastify. */
export class Socketio {
  readonly io: Server;
  readonly scopes: EventScopes;
  readonly #app: FastifyInstance;
  readonly #options: ResolvedOptions["own"];
  readonly #fronts = new Map<EventScope, FastifySocketServer>();
  /** Scopes by the namespace they declare. */
  readonly #owners = new Map<Namespace, EventScope>();
  /** What namespaces were asked for by. */
  readonly #names = new Map<Namespace, string>();
  readonly #events: DeclaredEvent[] = [];
  readonly #watched = new WeakSet<Namespace>();
  /** Never listens: requests for files of the client go here. The engine gets what Fastify hands on, and nothing from here. */
  readonly #files = new HttpServer((_req, res) => void res.writeHead(404).end());
  readonly #handled = new WeakSet<object>();
  /** One getter for all sockets: with one for each no two of them would have the same shape, and all that uses them be slower. */
  readonly #log: PropertyDescriptor;
  #mount: Mount | undefined = undefined;
  #sessions: SharedSessions | undefined = undefined;
  #isReady = false;
  #stopped: Promise<void> | undefined = undefined;

  /** @param app - where the plugin is registered */
  constructor(app: FastifyInstance, { own, server }: ResolvedOptions) {
    this.#app = app;
    this.#options = own;
    this.#log = { get: loggerGetter(app.log), configurable: true };
    this.scopes = new EventScopes(app);
    const path = app.prefix + own.prefix + own.path;
    const options: Partial<ServerOptions> = {
      onListenerError: (failure) => this.#onListenerError(failure),
      ...server,
      path,
    };
    this.io = new Server(options);
    this.io.attach(this.#files);
    this.io.engine.detach();
    this.io.httpServer = app.server as HttpServer;
    this.io.useAlways((socket, next) => {
      this.#complete(socket);
      next();
    });
    if (own.errorHandler !== undefined) this.io.useError((error, context) => this.#mapError(error, context));
    this.#limitRates();
    this.#sessions = shareSessions(app, this.io, own.session);
    this.#protectOrigins(server);
  }

  /** Adds the routes, in a scope of their own. */
  mount(scope: FastifyInstance): void {
    const { path, hooks, routeOptions } = this.#options;
    const serveFile = (req: IncomingMessage, res: ServerResponse): void => void this.#files.emit("request", req, res);
    const files = this.io.serveClient() && { serveFile };
    this.#mount = new Mount(scope, this.io, { path, hooks, routeOptions, ...files });
    const { opts } = this.io.engine;
    if (opts.checkOrigin === true && !opts.cors) opts.checkOrigin = this.#mount.isAllowedOrigin;
  }

  /**
   * To be called when all plugins are there.
   *
   * @throws PluginError for what only shows then
   */
  onReady(): void {
    this.#isReady = true;
    if (this.io.opts.cors && this.#app.hasPlugin("@fastify/cors")) {
      throw pluginError(
        "SIO_FASTIFY_CORS_TWICE",
        "both @fastify/cors and the option cors would answer for other origins: leave out the option, and @fastify/cors holds for Socket.IO too",
      );
    }
    for (const event of this.#events) event.compile();
  }

  // What programs see.

  /** The server as a scope sees it. */
  front(instance: FastifyInstance): FastifySocketServer {
    const scope = this.scopes.of(instance);
    let front = this.#fronts.get(scope);
    if (front === undefined) {
      const { io } = this;
      front = this.#scopedTo(scope, io, "/", (event, handler) =>
        io.handle(event, handler),
      ) as unknown as FastifySocketServer;
      this.#fronts.set(scope, front);
    }
    return front;
  }

  /** A namespace as the scope that declares it, or one within, sees it. */
  namespaceFront(
    namespace: Namespace,
    instance: FastifyInstance,
    askedFor: string | RegExp | NamespaceMatcher,
  ): unknown {
    const scope = this.scopes.declareNamespace(instance);
    this.#owners.set(namespace, scope);
    const name = askedFor instanceof RegExp ? String(askedFor) : namespace.name;
    this.#names.set(namespace, name);
    return this.#scopedTo(scope, namespace, name, (event, handler) => namespace.handle(event, handler));
  }

  /** A document about the events that there are by now. */
  describe(options: AsyncApiOptions): AsyncApiDocument {
    return describeEvents(this.io, this.#events, (namespace) => this.#names.get(namespace) ?? namespace.name, options);
  }

  #scopedTo(scope: EventScope, target: Server | Namespace, namespace: string, register: RegisterHandler): object {
    const to = (rooms: Room | Room[] | SessionReference): unknown => target.to(this.#roomsOf(rooms));
    const front: object = scoped(target as object, {
      to,
      in: to,
      event: (name: string, ...rest: unknown[]): object => {
        const handler = rest.at(-1) as (payload: unknown, context: HookContext) => unknown;
        const options = (rest.length > 1 ? rest[0] : {}) as EventOptions<unknown, unknown, unknown>;
        const event = new DeclaredEvent(namespace, name, options.schema ?? {}, scope.instance);
        if (this.#isReady) event.compile();
        registerEvent(register, scope, event, options, handler);
        this.#events.push(event);
        return front;
      },
      addHook: <Name extends keyof EventHooks>(name: Name, hook: EventHooks[Name]): object => {
        this.#addHook(scope, name, hook);
        return front;
      },
    });
    return front;
  }

  /** A session of a request stands for the sockets of that session. */
  #roomsOf(rooms: Room | Room[] | SessionReference): Room | Room[] {
    if (typeof rooms === "string" || Array.isArray(rooms)) return rooms;
    if (this.#sessions !== undefined) return this.#sessions.roomOf(rooms.sessionId);
    throw pluginError(
      "SIO_FASTIFY_NO_SESSION",
      "io.to(session) needs @fastify/session: register it before @plugboard/fastify",
    );
  }

  #addHook<Name extends keyof EventHooks>(scope: EventScope, name: Name, hook: EventHooks[Name]): void {
    if (!HOOK_NAMES.has(name)) {
      throw pluginError(
        "SIO_FASTIFY_INVALID_OPTION",
        `there is no hook ${JSON.stringify(name)} of events: there are ${[...HOOK_NAMES].join(", ")}`,
      );
    }
    if (typeof hook !== "function")
      throw pluginError("SIO_FASTIFY_INVALID_OPTION", `the hook ${name} has to be a function`);
    if (this.#isReady) {
      throw pluginError(
        "SIO_FASTIFY_TOO_LATE",
        `add the hook ${name} before the application is ready, as hooks of Fastify are`,
      );
    }
    scope.add(name, hook);
  }

  // Sockets.

  #complete(socket: Socket): void {
    const request = fastifyRequestOf(socket.request);
    if (request !== undefined) {
      Object.defineProperty(socket, "request", { value: request, configurable: true, enumerable: true });
    }
    Object.defineProperty(socket, "log", this.#log);
    this.#watch(socket.nsp);
  }

  /** The first socket of a namespace comes before anything else of it does. */
  #watch(namespace: Namespace): void {
    if (this.#watched.has(namespace)) return;
    this.#watched.add(namespace);
    const owner = this.#ownerOf(namespace);
    const onConnect = this.scopes.forSockets("onConnect", owner);
    const onDisconnect = this.scopes.forSockets("onDisconnect", owner);
    if (onConnect.length + onDisconnect.length === 0) return;
    namespace.on("connection", (given) => {
      const socket = given as unknown as HookSocket;
      if (onDisconnect.length > 0) {
        socket.on("disconnect", async (reason) => {
          for (const hook of onDisconnect) await hook(socket, reason);
        });
      }
      return runInOrder(onConnect, socket);
    });
  }

  #ownerOf(namespace: Namespace): EventScope {
    for (const [declared, scope] of this.#owners) {
      const { children } = declared as { children?: Set<Namespace> };
      if (declared === namespace || children?.has(namespace)) return scope;
    }
    return this.scopes.root;
  }

  // Errors.

  async #mapError(error: unknown, context: unknown): Promise<unknown> {
    if (typeof error === "object" && error !== null) this.#handled.add(error);
    return this.#options.errorHandler?.(error, context as FastifyEventContext);
  }

  #onListenerError({ error, event, args, socket }: ListenerFailure): void {
    const log = (socket as Partial<HookSocket> | undefined)?.log ?? this.#app.log;
    log.error({ err: error, event }, "a listener or handler of Socket.IO has failed");
    const { errorHandler } = this.#options;
    if (errorHandler === undefined || (typeof error === "object" && error !== null && this.#handled.has(error))) return;
    const context = socket && ({ socket, event, args, wantsAck: false } as unknown as FastifyEventContext);
    void (async () => errorHandler(error, context))().catch((fault: unknown) => {
      log.error({ err: fault }, "errorHandler has failed");
    });
  }

  // Limits.

  #limitRates(): void {
    const { handshake, events } = this.#options.rateLimit ?? {};
    const addressOf = (request: IncomingMessage | FastifyRequest): string =>
      fastifyRequestOf(request)?.ip ?? request.socket.remoteAddress ?? "";
    if (handshake !== undefined) {
      const { by = addressOf } = handshake;
      limitHandshakes(this.io, { ...handshake, by: typeof by === "function" ? by : addressOf });
    }
    if (events !== undefined) {
      const byAddress = events.by === "address" && {
        by: (socket: { request: IncomingMessage }) => addressOf(socket.request),
      };
      limitEvents(this.io, { ...events, ...byAddress });
    }
  }

  /** Where cookies may say who a client is, pages of other origins are kept out. */
  #protectOrigins(server: Partial<ServerOptions>): void {
    if (server.checkOrigin !== undefined) return;
    const app = this.#app;
    const usesCookies =
      this.#sessions !== undefined || app.hasRequestDecorator("cookies") || app.hasRequestDecorator("session");
    if (usesCookies) this.io.engine.opts.checkOrigin = true;
  }

  // The end.

  /** Ends all connections. Handlers that run may finish, and may still be answered. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const { closeTimeout, preClose } = this.#options;
    const deadline = performance.now() + closeTimeout;
    this.#mount?.startClosing();
    if (preClose !== undefined) {
      try {
        await within((async () => preClose(this.front(this.#app)))(), closeTimeout);
      } catch (error) {
        this.#app.log.error({ err: error }, "preClose of Socket.IO has failed");
      }
    }
    const timeoutMs = Math.max(deadline - performance.now(), Math.min(MIN_CLOSE_MS, closeTimeout));
    await this.io.close({ timeoutMs, closeHttpServer: false });
    this.#sessions?.close();
    this.#mount?.close();
  }
}

/** Makes the logger of a socket when it is first used. */
function loggerGetter(appLog: FastifyBaseLogger): () => FastifyBaseLogger {
  return function (this: HookSocket) {
    const parent = (this.request as Partial<FastifyRequest>).log ?? appLog;
    const value = parent.child({ socketId: this.id, nsp: this.nsp.name });
    Object.defineProperty(this, "log", { value, configurable: true });
    return value;
  };
}

const HOOK_NAMES: ReadonlySet<string> = new Set<keyof EventHooks>([
  "onConnect",
  "preEvent",
  "onAck",
  "onEventError",
  "onDisconnect",
]);

async function runInOrder(hooks: readonly EventHooks["onConnect"][], socket: HookSocket): Promise<void> {
  for (const hook of hooks) await hook(socket);
}

async function within(work: Promise<unknown>, maxMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, maxMs)));
  try {
    await Promise.race([work, time]);
  } finally {
    clearTimeout(timer);
  }
}
