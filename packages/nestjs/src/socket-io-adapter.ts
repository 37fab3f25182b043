import { Logger } from "@nestjs/common";
import { ApplicationConfig, ExternalContextCreator, HttpAdapterHost, ModulesContainer } from "@nestjs/core";
import { AbstractWsAdapter } from "@nestjs/websockets";
import {
  Server,
  type ExtendedError,
  type Namespace,
  type ParentNamespace,
  type ServerOptions,
  type Socket,
} from "@plugboard/server";
import type { Server as HttpServer } from "node:http";
import { admit, type Admission } from "./admission.js";
import { checkOptions, mistakeOfGateway } from "./check-options.js";
import { CookieOrigins } from "./cookie-origins.js";
import { Connection, type ConnectionContext, type MessageHandler } from "./connection.js";
import { Counters } from "./counters.js";
import { inSocketContext } from "./current-socket.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
import { isFirstToClose } from "./first-to-close.js";
import {
  connectionGuardsOf,
  findGateways,
  prepareGateway,
  serverKey,
  serverOptionsOf,
  socketMiddlewaresOf,
  type Gateway,
  type SocketMiddlewareClass,
} from "./gateways.js";
import { namespacePattern } from "./namespaces.js";
import { invalidOption, nestjsError } from "./nestjs-error.js";
import { resolveOptions, type OwnOptions, type SocketIoOptions } from "./options.js";
import { passThroughPlatform } from "./platform-front.js";
import { releasePort, takePort } from "./port-owners.js";
import { limitRates } from "./rate-limits.js";
import { RunningWork } from "./running-work.js";
import { SharedSessions } from "./shared-sessions.js";

/** What we need of an application, or of a `ModuleRef`. */
export interface ProviderSource {
  get<T>(token: unknown, options?: { strict: boolean }): T;
}

type ConnectCallback = (socket: Socket) => void;
type GatewayServerOptions = Partial<ServerOptions> & { namespace?: string | RegExp; server?: Server };

/** A server, with what gateways have bound to it. */
interface ServedPort {
  readonly io: Server;
  readonly gateways: readonly Gateway[];
  readonly namespaces: Map<string | RegExp, Binding>;
  readonly port: number;
  closing: Promise<void> | undefined;
}

/** A namespace, with the callbacks of all its gateways behind one listener. */
interface Binding {
  readonly namespace: Namespace;
  readonly callbacks: ConnectCallback[];
  readonly admissions: readonly Admission[];
  /** Prototypes of gateways of which Nest makes an instance for each socket: their `handleConnection` is called late. */
  readonly late: readonly object[];
  readonly rules: EventRules;
}

const DEFAULT_PATH = "/socket.io";

const adapters = new WeakMap<object, SocketIoAdapter>();

/**
 * Runs the gateways of a Nest application on Plugboard.
 *
 * ```ts
 * app.useWebSocketAdapter(new SocketIoAdapter(app, { cors: { origin: "https://example.com" } }));
 * ```
 */
export class SocketIoAdapter extends AbstractWsAdapter {
  readonly #own: OwnOptions;
  readonly #serverOptions: Partial<ServerOptions>;
  readonly #defaultPath: string;
  readonly #defaults: Partial<ServerOptions>;
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;
  readonly #host: HttpAdapterHost;
  readonly #failures: EventFailures;
  readonly #connections: ConnectionContext;
  readonly #ports = new Map<string, ServedPort>();
  readonly #sessions = new WeakMap<Server, SharedSessions>();
  readonly #bindings = new WeakMap<object, Binding>();
  /** Of namespaces, whoever has gateways there. */
  readonly #middlewares: { readonly name: string | RegExp; readonly admission: Admission }[] = [];
  readonly #running = new RunningWork();
  readonly #onDisposed: (() => void)[] = [];
  readonly #logger = new Logger("SocketIo");
  #server: Server | undefined = undefined;
  #isPrepared = false;
  #isChecked = false;
  #initFailure: { readonly error: unknown } | undefined = undefined;

  /**
   * @param app - the application; its gateways and HTTP server are looked at when it is initialised
   * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` without an application or for options that there are not,
   * `SIO_NESTJS_TWO_ADAPTERS` when it has such an adapter
   */
  constructor(app: ProviderSource, options: SocketIoOptions = {}) {
    super();
    if (typeof (app as Partial<ProviderSource> | undefined)?.get !== "function") {
      throw invalidOption("new SocketIoAdapter(app) needs the Nest application, not its HTTP server");
    }
    checkOptions(options);
    // The one method of `IoAdapter` that programs override and that has no use here.
    if ("mapPayload" in this) {
      throw invalidOption(`nobody calls mapPayload of ${this.constructor.name}: arguments come by @MessageArg(n)`);
    }
    const { own, server } = resolveOptions(options);
    this.#own = own;
    this.#modules = app.get<ModulesContainer>(ModulesContainer, { strict: false });
    this.#config = app.get<ApplicationConfig>(ApplicationConfig, { strict: false });
    if (adapters.has(this.#modules)) {
      throw nestjsError(
        "SIO_NESTJS_TWO_ADAPTERS",
        "the application has a SocketIoAdapter already: keep SocketIoModule or new SocketIoAdapter(app), not both",
      );
    }
    this.#host = app.get<HttpAdapterHost>(HttpAdapterHost, { strict: false });
    this.#failures = new EventFailures(own);
    this.#connections = {
      options: own,
      failures: this.#failures,
      contextCreator: () => app.get(ExternalContextCreator, { strict: false }),
      counters: undefined,
      track: (work) => this.#running.add(work),
    };
    this.#serverOptions = server;
    this.#defaultPath = server.path ?? DEFAULT_PATH;
    // Of the classes alone: nothing is made yet when a module makes the adapter.
    this.#defaults = this.#optionsOf(0, this.#defaultPath);
    adapters.set(this.#modules, this);
  }

  /** The server of gateways without a port of their own. It is there from the start, and attached when the application starts. */
  get server(): Server {
    return (this.#server ??= new Server(this.#defaults));
  }

  /** The adapter of an application; undefined when it has another one. */
  static of(app: ProviderSource): SocketIoAdapter | undefined {
    return adapters.get(app.get<ModulesContainer>(ModulesContainer, { strict: false }));
  }

  /** Whether sockets are closed before the hooks `onModuleDestroy` of other modules are over. */
  get closesEarly(): boolean {
    return this.#own.closesEarly;
  }

  /** Whether the server of gateways without a port is attached and not closing. */
  get isServing(): boolean {
    const served = this.#ports.get(serverKey(0, this.#defaultPath));
    return served !== undefined && served.closing === undefined;
  }

  /**
   * Looks whether it has been put to work, once Nest has bound the gateways.
   *
   * @throws NestjsError with code `SIO_NESTJS_TWO_ADAPTERS` when gateways are bound to another adapter,
   * `SIO_NESTJS_INVALID_OPTION` for a middleware without a method `use`
   */
  checkWork(): void {
    if (this.#isChecked) return;
    this.#isChecked = true;
    for (const { admission } of this.#middlewares) checkMiddlewares(admission.middlewares);
    if ((this.#config.getIoAdapter() as unknown) !== this) {
      throw nestjsError(
        "SIO_NESTJS_TWO_ADAPTERS",
        "app.useWebSocketAdapter() has put another adapter in the place of that of SocketIoModule: leave out that line",
      );
    }
    // Programs without an HTTP server, such as scripts, serve nothing anyway.
    if (this.#host.httpAdapter === undefined || findGateways(this.#modules).length > 0) return;
    this.#logger.warn(
      "no module has a class with @WebSocketGateway() among its providers: Socket.IO is not served (SIO_NESTJS_NO_GATEWAY)",
    );
  }

  /**
   * Adds middlewares to a namespace, or to those of a pattern. They come before those of its gateways.
   *
   * @param middlewares - asked for once all providers have been made
   */
  addMiddlewares(namespace: string | RegExp | undefined, middlewares: () => readonly SocketMiddlewareClass[]): void {
    let made: readonly SocketMiddlewareClass[] | undefined;
    const admission = {
      type: SocketIoAdapter,
      get middlewares() {
        return (made ??= middlewares());
      },
      guards: [],
    };
    this.#middlewares.push({ name: gatewayNamespace(namespace), admission });
  }

  /** Counts from now on, if it does not already: see `SocketIoMetrics`. */
  startCounting(): Counters {
    const started = this.#connections.counters;
    if (started !== undefined) return started;
    const counters = new Counters();
    this.#connections.counters = counters;
    this.#failures.counters = counters;
    for (const { io } of this.#ports.values()) {
      // One that waits for its port has none yet.
      if ((io as Partial<Server>).engine !== undefined) counters.countIn(io);
    }
    return counters;
  }

  // Called by Nest.

  /** Set by Nest right before it looks at the first gateway: the last moment to change what it will find. */
  override set forceCloseConnections(value: boolean) {
    super.forceCloseConnections = value;
    this.#prepare();
  }

  override get forceCloseConnections(): boolean {
    return super.forceCloseConnections;
  }

  /** Makes the server of a port, or a namespace of it. Called again with the same, it gives the same. */
  create(port: number, options: GatewayServerOptions = {}): Server | Namespace {
    const served = this.#serve(port, options.path ?? this.#defaultPath);
    if (options.namespace === undefined || options.namespace === "/") return served.io;
    return this.#bindingOf(served, namespacePattern(options.namespace)).namespace;
  }

  /**
   * Makes the server of a port and attaches it. Classes that extend this one may change its options, or what they get,
   * such as its adapter of Redis.
   *
   * @param port - 0 for that of the application
   * @param options - of the server, with its path; those of the application and its gateways unless given
   * @returns the server, whose `engine` is there, unless it waits for a port that another application leaves (`hmr`)
   * @throws NestjsError with code `SIO_NESTJS_NO_HTTP_SERVER`, or `SIO_NESTJS_CONFLICTING_OPTIONS` for options that come
   * when the server has been injected or asked for already
   */
  createIOServer(port: number, options: Partial<ServerOptions> = this.#defaults): Server {
    const io = this.#isDefault(port, options.path ?? DEFAULT_PATH) ? this.#serverWith(options) : new Server(options);
    if (port === 0) this.#attachToApplication(io, options);
    else this.#attachToPort(io, port, options);
    return io;
  }

  override bindClientConnect(server: Server | Namespace, callback: ConnectCallback): void {
    if (this.#initFailure !== undefined) throw this.#initFailure.error;
    const served = this.#servedBy(server);
    const binding = served === undefined ? this.#bindings.get(server) : this.#bindingOf(served, "/");
    if (binding === undefined) throw new Error("this server was not made by the adapter");
    binding.callbacks.push(callback);
  }

  override bindClientDisconnect(client: Socket, callback: (reason?: unknown) => void): void {
    Connection.of(client)?.addDisconnect(callback);
  }

  bindMessageHandlers(client: Socket, handlers: MessageHandler[]): void {
    Connection.of(client)?.addHandlers(handlers);
  }

  /** Ends a client that has come too early, or too late: it comes back by itself. */
  closeClient(client: Socket): void {
    client.rehandshake("the application does not take connections now");
  }

  /** Closes the server that this belongs to: transports, then handlers and `handleDisconnect` are awaited. */
  override async close(server?: Server | Namespace): Promise<void> {
    const served = this.#servedBy(server);
    if (served !== undefined) await this.#close(served);
  }

  override async dispose(): Promise<void> {
    await Promise.all([...this.#ports.values()].map((served) => this.#close(served)));
    this.#ports.clear();
    for (const listener of this.#onDisposed.splice(0)) listener();
  }

  /** Calls this once all servers are closed. */
  onDisposed(listener: () => void): void {
    this.#onDisposed.push(listener);
  }

  // Servers and namespaces.

  #prepare(): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    if (this.#own.closesEarly && ![...this.#modules.values()].some(isFirstToClose)) {
      throw invalidOption(
        'shutdown.phase "moduleDestroy" is for SocketIoModule.forRoot(): who has the adapter alone has "dispose"',
      );
    }
    for (const gateway of findGateways(this.#modules)) {
      const mistake = mistakeOfGateway(gateway.type.name, gateway.options);
      if (mistake !== undefined) this.#logger.warn(`${mistake} (SIO_NESTJS_INVALID_OPTION)`);
      prepareGateway(gateway, {
        options: this.#own,
        config: this.#config,
        failures: this.#failures,
        onInitFailed: (error) => (this.#initFailure ??= { error }),
      });
    }
  }

  #servedBy(server: unknown): ServedPort | undefined {
    return [...this.#ports.values()].find(({ io }) => io === server);
  }

  #gatewaysAt(port: number, path: string): Gateway[] {
    const key = serverKey(port, path);
    return findGateways(this.#modules).filter((gateway) => {
      return serverKey(gateway.port, gateway.options.path ?? this.#defaultPath) === key;
    });
  }

  /** Whether it is the server that the options of the application are about. */
  #isDefault(port: number, path: string): boolean {
    return serverKey(port, path) === serverKey(0, this.#defaultPath);
  }

  #optionsOf(port: number, path: string): Partial<ServerOptions> {
    // Of servers with a port or path of their own, gateways may say something else.
    const { path: _path, ...shared } = this.#serverOptions;
    const said = serverOptionsOf(this.#gatewaysAt(port, path), this.#isDefault(port, path) ? shared : {});
    return { onListenerError: ({ error }) => this.#failures.log(error), ...shared, ...said, path };
  }

  #serve(port: number, path: string): ServedPort {
    const key = serverKey(port, path);
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    this.#prepare();
    const options = this.#isDefault(port, path) ? this.#defaults : this.#optionsOf(port, path);
    const io = this.createIOServer(port, options);
    const served: ServedPort = {
      io,
      gateways: this.#gatewaysAt(port, path),
      namespaces: new Map(),
      port,
      closing: undefined,
    };
    this.#ports.set(key, served);
    if (this.#isDefault(port, path)) this.#server = io;
    limitRates(io, this.#own.rateLimit);
    io.useAlways((socket, next) => this.#admit(served, socket, next));
    return served;
  }

  #serverWith(options: Partial<ServerOptions>): Server {
    if (this.#server === undefined) return (this.#server = new Server(options));
    const names = new Set([...Object.keys(options), ...Object.keys(this.#defaults)]) as Set<keyof ServerOptions>;
    const changed = [...names].filter((name) => options[name] !== this.#defaults[name]);
    if (changed.length === 0) return this.#server;
    throw nestjsError(
      "SIO_NESTJS_CONFLICTING_OPTIONS",
      `createIOServer gives other values of ${changed.map((name) => JSON.stringify(name)).join(", ")}, ` +
        "but the server has been asked for before: give them to super(app, options)",
    );
  }

  #attachToPort(io: Server, port: number, options: Partial<ServerOptions>): void {
    const attach = (): void => {
      if (this.#servedBy(io)?.closing !== undefined) return;
      io.attach(port, options);
      this.#connections.counters?.countIn(io);
    };
    const free = this.#own.hmr ? takePort(port, { adapter: this, close: () => this.close(io) }) : undefined;
    if (free === undefined) attach();
    else void free.then(attach);
  }

  #attachToApplication(io: Server, options: Partial<ServerOptions>): void {
    const { httpAdapter } = this.#host;
    const httpServer = httpAdapter?.getHttpServer() as Parameters<Server["attach"]>[0] | undefined;
    if (httpServer === undefined) {
      throw nestjsError("SIO_NESTJS_NO_HTTP_SERVER", "gateways without a port need an application with an HTTP server");
    }
    io.attach(httpServer, options);
    this.#connections.counters?.countIn(io);
    if (this.#own.handshake !== "app") return;
    const sessions = this.#own.session === false ? undefined : new SharedSessions(io, this.#own.session);
    if (sessions !== undefined) this.#sessions.set(io, sessions);
    const origins = new CookieOrigins();
    passThroughPlatform(io, httpAdapter, io.path(), sessions, (req, res) => origins.learn(req, res));
    io.engine.opts.checkOrigin ??= origins.isAllowed;
  }

  #bindingOf(served: ServedPort, name: string | RegExp): Binding {
    const known = served.namespaces.get(name);
    if (known !== undefined) return known;
    const namespace = served.io.of(name);
    const gateways = served.gateways.filter(({ options }) => gatewayNamespace(options.namespace) === name);
    const admissions = gateways.map((gateway) => ({
      type: gateway.type,
      middlewares: socketMiddlewaresOf(gateway),
      guards: connectionGuardsOf(gateway, this.#own.connectionGuards),
    }));
    const binding: Binding = {
      namespace,
      callbacks: [],
      admissions: admissions.filter(({ middlewares, guards }) => middlewares.length + guards.length > 0),
      rules: new EventRules(
        gateways.map(({ type }) => type),
        this.#own.concurrency,
      ),
      late: gateways.filter(({ scope }) => scope !== undefined).map(({ type }) => type.prototype as object),
    };
    served.namespaces.set(name, binding);
    this.#bindings.set(namespace, binding);
    namespace.on("connection", (socket: Socket) => this.#connect(binding, socket));
    return binding;
  }

  // Sockets.

  #admit(served: ServedPort, socket: Socket, next: (error?: ExtendedError) => void): void {
    const { nsp } = socket;
    const binding = this.#bindings.get(nsp) ?? parentOf(served, nsp);
    const added = this.#middlewares.filter(({ name }) => isNamed(nsp.name, name)).map(({ admission }) => admission);
    const admissions = [...added, ...(binding?.admissions ?? [])];
    if (admissions.length === 0) return next();
    const { mapHttpExceptions } = this.#own;
    const log = (error: unknown): void => this.#failures.log(error);
    const admitted = inSocketContext(socket, () => admit(socket, admissions, { mapHttpExceptions, log }));
    admitted.then(
      () => next(),
      (error: ExtendedError | undefined) => {
        const { counters } = this.#connections;
        if (counters !== undefined) counters.refusedSockets++;
        // Nothing may be thrown as well, and must not count as consent.
        next(error || new Error("refused"));
      },
    );
  }

  #connect({ callbacks, rules, late }: Binding, socket: Socket): void {
    const connection = new Connection(socket, this.#connections, rules);
    for (const gateway of late) connection.expectConnecting(gateway);
    for (const callback of callbacks) callback(socket);
    connection.start();
  }

  // Closing.

  #close(served: ServedPort): Promise<void> {
    return (served.closing ??= this.#closeNow(served));
  }

  async #closeNow({ io, port }: ServedPort): Promise<void> {
    if (port === 0 && this.#own.hmr) this.#leavePort();
    const timeoutMs = this.#own.shutdownTimeoutMs;
    const deadline = Date.now() + timeoutMs;
    await io.close({ timeoutMs, closeHttpServer: port !== 0 });
    releasePort(port, this);
    this.#sessions.get(io)?.close();
    await this.#running.idle(Math.max(0, deadline - Date.now()));
  }

  /** Lets the next application of this process listen, which does not wait until this one has closed. */
  #leavePort(): void {
    const httpServer = this.#host.httpAdapter.getHttpServer() as HttpServer;
    // The platform will close it again, and wait for its connections then.
    if (httpServer.listening) httpServer.close();
  }
}

function checkMiddlewares(middlewares: readonly SocketMiddlewareClass[]): void {
  for (const each of middlewares) {
    if (typeof each.use === "function") continue;
    throw invalidOption(`${each.constructor.name} is no middleware of sockets: it has no method use`);
  }
}

function gatewayNamespace(namespace: string | RegExp | undefined): string | RegExp {
  if (namespace === undefined || namespace === "") return "/";
  return namespacePattern(typeof namespace === "string" && !namespace.startsWith("/") ? `/${namespace}` : namespace);
}

function isNamed(name: string, given: string | RegExp): boolean {
  return typeof given === "string" ? name === given : name.search(given) !== -1;
}

function parentOf(served: ServedPort, child: Namespace): Binding | undefined {
  return [...served.namespaces.values()].find(({ namespace }) => {
    return (namespace as Partial<ParentNamespace>).children?.has(child) === true;
  });
}
