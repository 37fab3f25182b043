import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AsyncApiDocument } from "@plugboard/contract";
import { addressKey, keyOfSocket, limitEvents, limitHandshakes } from "@plugboard/rate-limit";
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
import { checkFunctions, checkHandler, checkNames, invalidOption } from "./check-options.js";
import { DeclaredEvent } from "./declared-event.js";
import { registerEvent, type RegisterHandler } from "./event-handler.js";
import { EventScopes, type EventScope } from "./event-scope.js";
import type { EventHooks, EventOptions, HookContext, HookSocket } from "./event-types.js";
import { fastifyRequestOf } from "./handshake-requests.js";
import { Mount } from "./mount.js";
import type { ResolvedOptions } from "./options.js";
import { pluginError } from "./plugin-error.js";
import { scoped } from "./scoped.js";
import { hasSessions, shareSessions, type SharedSessions } from "./sessions.js";
import type { FastifySocketServer, SessionReference } from "./types.js";

/** How long the last answers may take to leave, in milliseconds, when `preClose` has used up all the time. */
const MIN_CLOSE_MS = 250;

/** One Socket.IO server in an application of Fastify. */
export class Socketio {
  readonly io: Server;
  readonly scopes: EventScopes;
  readonly #app: FastifyInstance;
  readonly #options: ResolvedOptions["own"];
  readonly #fronts = new Map<EventScope, FastifySocketServer>();
  /** Scopes by the namespace they declare, which several may. */
  readonly #owners = new Map<Namespace, EventScope[]>();
  /** What namespaces were asked for by. */
  readonly #names = new Map<Namespace, string>();
  readonly #events: DeclaredEvent[] = [];
  readonly #watched = new WeakSet<Namespace>();
  readonly #injected = new Set<{ disconnect(): unknown }>();
  /** Never listens: requests for files of the client go here. The engine gets what Fastify hands on, and nothing from here. */
  readonly #files = new HttpServer((_req, res) => void res.writeHead(404).end());
  /** Arguments of events that have failed, about which `errorHandler` has been asked. */
  readonly #told = new WeakSet<readonly unknown[]>();
  /** One getter for all sockets: with one for each no two of them would have the same shape, and all that uses them be slower. */
  readonly #log: PropertyDescriptor;
  #mount: Mount | undefined = undefined;
  #sessions: SharedSessions | undefined = undefined;
  #isReady = false;
  #stopped: Promise<void> | undefined = undefined;
  #hasStopped = false;

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
    const close = this.io.close.bind(this.io) as (...args: unknown[]) => Promise<void>;
    // The routes outlive it, for the application may go on.
    this.io.close = (...args: unknown[]) => {
      this.#mount?.startClosing();
      return close(...args);
    };
    this.io.useAlways((socket, next) => {
      this.#complete(socket);
      next();
    });
    if (own.errorHandler !== undefined) {
      this.io.useError((error, context) => this.#mapError(error, context as unknown as HookContext));
    }
    this.#limitRates();
    this.#sessions = shareSessions(app, this.io, own.session);
  }

  /** Adds the routes, in a scope of their own. */
  mount(scope: FastifyInstance): void {
    const { path, hooks, routeOptions } = this.#options;
    const serveFile = (req: IncomingMessage, res: ServerResponse): void => void this.#files.emit("request", req, res);
    const files = this.io.serveClient() && { serveFile };
    this.#mount = new Mount(scope, this.io, { path, hooks, routeOptions, ...files });
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
    if (this.#sessions === undefined && this.#options.session !== false && hasSessions(this.#app)) {
      throw pluginError(
        "SIO_FASTIFY_NO_SESSION",
        "the plugin of sessions is registered behind @plugboard/fastify, so sockets would not have them: register it before, or set session: false",
      );
    }
    this.#protectOrigins();
    for (const event of this.#events) event.compile();
  }

  /** @throws PluginError with code `SIO_FASTIFY_TOO_LATE` when the application is ready */
  checkEarly(what: string, likeWhat: "hooks" | "plugins"): void {
    if (!this.#isReady) return;
    throw pluginError("SIO_FASTIFY_TOO_LATE", `${what} before the application is ready, as ${likeWhat} of Fastify are`);
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
    this.#owners.set(namespace, [...(this.#owners.get(namespace) ?? []), scope]);
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
        checkEvent(name, options, handler);
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
    // Programs in JavaScript have rooms that are numbers, and leave out what is undefined.
    if (typeof rooms !== "object" || rooms === null || Array.isArray(rooms)) return rooms;
    if (this.#sessions !== undefined) return this.#sessions.roomOf(rooms.sessionId);
    throw pluginError(
      "SIO_FASTIFY_NO_SESSION",
      "io.to(session) needs @fastify/session: register it before @plugboard/fastify",
    );
  }

  #addHook<Name extends keyof EventHooks>(scope: EventScope, name: Name, hook: EventHooks[Name]): void {
    if (!HOOK_NAMES.has(name)) {
      throw invalidOption(
        `there is no hook ${JSON.stringify(name)} of events: there are ${[...HOOK_NAMES].join(", ")}`,
      );
    }
    if (typeof hook !== "function") throw invalidOption(`the hook ${name} has to be a function`);
    this.checkEarly(`add the hook ${name}`, "hooks");
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
    const owners = this.#ownersOf(namespace);
    const onConnect = this.scopes.forSockets("onConnect", owners);
    const onDisconnect = this.scopes.forSockets("onDisconnect", owners);
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

  #ownersOf(namespace: Namespace): readonly EventScope[] {
    for (const [declared, scopes] of this.#owners) {
      const { children } = declared as { children?: Set<Namespace> };
      if (declared === namespace || children?.has(namespace)) return scopes;
    }
    return [this.scopes.root];
  }

  // Errors.

  async #mapError(error: unknown, context: HookContext): Promise<unknown> {
    this.#told.add(context.args);
    return this.#options.errorHandler?.(error, context);
  }

  #onListenerError({ error, event, args, socket }: ListenerFailure): void {
    const log = (socket as Partial<HookSocket> | undefined)?.log ?? this.#app.log;
    log.error({ err: error, event }, "a listener or handler of Socket.IO has failed");
    const { errorHandler } = this.#options;
    if (errorHandler === undefined || this.#told.has(args)) return;
    const context = socket && ({ socket, event, args, wantsAck: false } as unknown as HookContext);
    void (async () => errorHandler(error, context))().catch((fault: unknown) => {
      log.error({ err: fault }, "errorHandler has failed");
    });
  }

  // Limits.

  #limitRates(): void {
    const { handshake, events } = this.#options.rateLimit ?? {};
    const addressOf = (request: IncomingMessage | FastifyRequest): string | undefined =>
      fastifyRequestOf(request)?.ip ?? request.socket.remoteAddress;
    if (handshake !== undefined) {
      const { by } = handshake;
      limitHandshakes(this.io, {
        ...handshake,
        by: typeof by === "function" ? by : (request) => addressKey(addressOf(request)),
      });
    }
    if (events !== undefined) {
      const { by = "socket" } = events;
      limitEvents(this.io, {
        ...events,
        by: typeof by === "function" ? by : (socket) => keyOfSocket(by, socket, addressOf(socket.request)),
      });
    }
  }

  /**
   * Where cookies may say who a client is, pages of other origins are kept out. Only when all plugins are there: what reads
   * cookies, `ioJwt` among it, may have come behind this one.
   */
  #protectOrigins(): void {
    const { opts } = this.io.engine;
    if (this.#app.hasRequestDecorator("cookies") || this.#app.hasRequestDecorator("session")) opts.checkOrigin ??= true;
    // The engine's own rule knows the option cors, but not what @fastify/cors allows.
    if (opts.checkOrigin === true && !opts.cors && this.#mount !== undefined) {
      opts.checkOrigin = this.#mount.isAllowedOrigin;
    }
  }

  // The end.

  /** Disconnects a client in this process when the server has stopped. */
  endWith(client: { disconnect(): unknown }): void {
    if (this.#hasStopped) client.disconnect();
    else this.#injected.add(client);
  }

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
    this.#hasStopped = true;
    for (const client of this.#injected) client.disconnect();
  }
}

function checkEvent(name: string, options: EventOptions<unknown, unknown, unknown>, handler: unknown): void {
  const event = `the event ${JSON.stringify(name)}`;
  checkHandler(event, handler);
  checkNames(event, options, ["schema", "preHandler", "config"]);
  if (options.schema !== undefined)
    checkNames(`the schema of ${event}`, options.schema, ["payload", "ack", "description"]);
  checkFunctions(`preHandler of ${event}`, options.preHandler);
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
