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
import { admit, type Admission } from "./admission.js";
import { CookieOrigins } from "./cookie-origins.js";
import { Connection, type ConnectionContext, type MessageHandler } from "./connection.js";
import { inSocketContext } from "./current-socket.js";
import { EventFailures } from "./event-failures.js";
import { EventRules } from "./event-rules.js";
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
import { resolveOptions, type OwnOptions, type SocketIoOptions } from "./options.js";
import { passThroughPlatform } from "./platform-front.js";
import { releasePort, takePort } from "./port-owners.js";
import { limitRates } from "./rate-limits.js";
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
  readonly sessions: SharedSessions | undefined;
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

const adapters = new WeakMap<object, SocketIoAdapter>();

/**
 * Runs the gateways of a Nest application on Plugboard.
 *
 * ```ts
 * app.useWebSocketAdapter(new SocketIoAdapter(app, { cors: { origin: "https://example.com" } }));
 * ```
 */
export class SocketIoAdapter extends AbstractWsAdapter {
  /** The server of gateways without a port of their own. It is there from the start, and attached when the application starts. */
  readonly server: Server;
  readonly #own: OwnOptions;
  readonly #serverOptions: Partial<ServerOptions>;
  readonly #defaultPath: string;
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;
  readonly #host: HttpAdapterHost;
  readonly #failures: EventFailures;
  readonly #connections: ConnectionContext;
  readonly #ports = new Map<string, ServedPort>();
  readonly #bindings = new WeakMap<object, Binding>();
  /** Of namespaces, whoever has gateways there. */
  readonly #middlewares: { readonly name: string | RegExp; readonly admission: Admission }[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #onDisposed: (() => void)[] = [];
  #isPrepared = false;
  #initFailure: { readonly error: unknown } | undefined = undefined;

  /**
   * @param app - the application; its gateways and HTTP server are looked at when it is initialised
   * @throws TypeError without an application
   */
  constructor(app: ProviderSource, options: SocketIoOptions = {}) {
    super();
    if (typeof (app as Partial<ProviderSource> | undefined)?.get !== "function") {
      throw new TypeError("new SocketIoAdapter(app) needs the Nest application, not its HTTP server");
    }
    const { own, server } = resolveOptions(options);
    this.#own = own;
    this.#modules = app.get<ModulesContainer>(ModulesContainer, { strict: false });
    this.#config = app.get<ApplicationConfig>(ApplicationConfig, { strict: false });
    this.#host = app.get<HttpAdapterHost>(HttpAdapterHost, { strict: false });
    this.#failures = new EventFailures(own);
    this.#connections = {
      options: own,
      failures: this.#failures,
      contextCreator: () => app.get(ExternalContextCreator, { strict: false }),
      track: (work) => this.#track(work),
    };
    this.#serverOptions = { onListenerError: ({ error }) => this.#failures.log(error), ...server };
    this.#defaultPath = server.path ?? "/socket.io";
    // Of the classes alone: nothing is made yet when a module makes the adapter.
    this.server = new Server(this.#optionsOf(this.#gatewaysAt(0, this.#defaultPath), this.#defaultPath));
    adapters.set(this.#modules, this);
  }

  /** The adapter of an application; undefined when it has another one. */
  static of(app: ProviderSource): SocketIoAdapter | undefined {
    return adapters.get(app.get<ModulesContainer>(ModulesContainer, { strict: false }));
  }

  /** Whether sockets are closed before the hooks `onModuleDestroy` of other modules are over. */
  get closesEarly(): boolean {
    return this.#own.shutdownPhase === "moduleDestroy";
  }

  /** Whether the server of gateways without a port is attached and not closing. */
  get isServing(): boolean {
    const served = this.#ports.get(serverKey(0, this.#defaultPath));
    return served !== undefined && served.closing === undefined;
  }

  /** Adds middlewares to a namespace, or to those of a pattern. They come before those of its gateways. */
  addMiddlewares(namespace: string | RegExp | undefined, middlewares: readonly SocketMiddlewareClass[]): void {
    const admission = { type: SocketIoAdapter, middlewares, guards: [] };
    this.#middlewares.push({ name: gatewayNamespace(namespace), admission });
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

  override bindClientConnect(server: Server | Namespace, callback: ConnectCallback): void {
    if (this.#initFailure !== undefined) throw this.#initFailure.error;
    const served = [...this.#ports.values()].find(({ io }) => io === server);
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
    for (const served of this.#ports.values()) {
      if (served.io === server) await this.#close(served);
    }
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
    for (const gateway of findGateways(this.#modules)) {
      prepareGateway(gateway, {
        options: this.#own,
        config: this.#config,
        failures: this.#failures,
        onInitFailed: (error) => (this.#initFailure ??= { error }),
      });
    }
  }

  #gatewaysAt(port: number, path: string): Gateway[] {
    const key = serverKey(port, path);
    return findGateways(this.#modules).filter((gateway) => {
      return serverKey(gateway.port, gateway.options.path ?? this.#defaultPath) === key;
    });
  }

  #optionsOf(gateways: readonly Gateway[], path: string): Partial<ServerOptions> {
    return { ...this.#serverOptions, ...serverOptionsOf(gateways), path };
  }

  #serve(port: number, path: string): ServedPort {
    const key = serverKey(port, path);
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    this.#prepare();
    const gateways = this.#gatewaysAt(port, path);
    const options = this.#optionsOf(gateways, path);
    const io = key === serverKey(0, this.#defaultPath) ? this.server : new Server(options);
    const sessions = port === 0 ? this.#attachToApplication(io, options) : undefined;
    const served: ServedPort = { io, gateways, namespaces: new Map(), port, sessions, closing: undefined };
    this.#ports.set(key, served);
    if (port !== 0) this.#attachToPort(served, options);
    limitRates(io, this.#own.rateLimit);
    io.useAlways((socket, next) => this.#admit(served, socket, next));
    return served;
  }

  #attachToPort(served: ServedPort, options: Partial<ServerOptions>): void {
    const { io, port } = served;
    const attach = (): void => {
      if (served.closing === undefined) io.attach(port, options);
    };
    const free = this.#own.hmr ? takePort(port, { adapter: this, close: () => this.#close(served) }) : undefined;
    if (free === undefined) attach();
    else void free.then(attach);
  }

  #attachToApplication(io: Server, options: Partial<ServerOptions>): SharedSessions | undefined {
    const { httpAdapter } = this.#host;
    const httpServer = httpAdapter?.getHttpServer() as Parameters<Server["attach"]>[0] | undefined;
    if (httpServer === undefined) throw new Error("gateways without a port need an application with an HTTP server");
    io.attach(httpServer, options);
    if (this.#own.handshake !== "app") return undefined;
    const sessions = this.#own.session === false ? undefined : new SharedSessions(io, this.#own.session);
    const origins = new CookieOrigins();
    passThroughPlatform(io, httpAdapter, io.path(), sessions, (req, res) => origins.learn(req, res));
    io.engine.opts.checkOrigin ??= origins.isAllowed;
    return sessions;
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
      late: gateways.filter(({ isScoped }) => isScoped).map(({ type }) => type.prototype as object),
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
    admitted.then(() => next(), next);
  }

  #connect({ callbacks, rules, late }: Binding, socket: Socket): void {
    const connection = new Connection(socket, this.#connections, rules);
    for (const gateway of late) connection.expectConnecting(gateway);
    for (const callback of callbacks) callback(socket);
    connection.start();
  }

  // Closing.

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    const done = (): void => void this.#running.delete(work);
    work.then(done, done);
  }

  #close(served: ServedPort): Promise<void> {
    return (served.closing ??= this.#closeNow(served));
  }

  async #closeNow({ io, port, sessions }: ServedPort): Promise<void> {
    const timeoutMs = this.#own.shutdownTimeoutMs;
    const deadline = Date.now() + timeoutMs;
    await io.close({ timeoutMs, closeHttpServer: port !== 0 });
    releasePort(port, this);
    sessions?.close();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
    });
    await Promise.race([Promise.allSettled(this.#running), late]);
    clearTimeout(timer);
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
