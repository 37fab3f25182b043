import type { Contract } from "@plugboard/contract";
import { Engine, type EngineOptions } from "@plugboard/engine";
import { createDebug } from "@plugboard/engine/internal";
import { EventEmitter } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { Adapter, AdapterConstructor, Room } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import { ClientFiles } from "./client-files.js";
import { ClientImplementation } from "./client.js";
import { DEFAULT_PARSER, defaultDecoder } from "./default-parser.js";
import { resolveLimits, tooManyNamespaces, type Limits } from "./limits.js";
import { DEFAULT_HANDLER_TIMEOUT_MS } from "./event-handlers.js";
import type { ErrorHook } from "./event-parts.js";
import { ListenerGuard } from "./listener-errors.js";
import { forwardToMainNamespace } from "./main-namespace-front.js";
import { NamespaceImplementation } from "./namespace.js";
import type { ListenerFailure, ServerOptions } from "./options.js";
import { ParentNamespaceImplementation } from "./parent-namespace.js";
import type {
  AuthData,
  Callback,
  ClientPart,
  Connection,
  ConnectionMiddleware,
  NamespacePart,
  PacketDecoder,
  PacketEncoder,
  PacketParser,
  RecoveryOptions,
  ServerPart,
} from "./parts.js";
import type { RoomCheck } from "./room-permissions.js";
import { RecoveryChecks, type RecoveryCheck } from "./recovery-checks.js";
import { httpServerOf, isOptions, type HttpServerLike } from "./server-attachment.js";
import { SessionAwareAdapter } from "./session-aware-adapter.js";
import { END_SOCKETS, endSockets, isEndingOrder, type EndingOrder, type SocketEnding } from "./socket-ending.js";
import { isThenable } from "./thenable.js";

const debug = createDebug("socket.io:server");

type NamespaceMatcher = (
  name: string,
  auth: AuthData,
  decide: (error: Error | null, allow: boolean) => void,
) => unknown;

type GivenOptions = Partial<ServerOptions>;
type ResolvedOptions = Omit<GivenOptions, "connectionStateRecovery"> & { connectionStateRecovery?: RecoveryOptions };

interface CloseOptions {
  readonly timeoutMs?: number;
  readonly closeHttpServer?: boolean;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 45_000;
const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;
/** What HTTP requests that are still running get to end by themselves, when no other time is given. */
const RUNNING_REQUESTS_MS = 30_000;
/** What the last answers get to be written, however little is left of the time. */
const LAST_ANSWERS_MS = 250;
const DEFAULT_MAX_MESSAGE_BYTES = 1_000_000;
const DEFAULT_RECOVERY: RecoveryOptions = {
  maxDisconnectionDuration: 120_000,
  skipMiddlewares: true,
  maxStoredBytes: 64 * 1024 * 1024,
  maxStoredPackets: 10_000,
  maxStoredSessions: 10_000,
};

/** What is needed of an engine given to `bind()` (spec/server.md 1.22). */
interface EnginePart {
  on(event: "connection", listener: (conn: Connection) => void): unknown;
  close(): unknown;
  detach?(): unknown;
  readonly opts?: Partial<EngineOptions>;
}

/** Where connections come from. */
interface ConnectionOrigin {
  readonly engine: EnginePart;
  readonly httpServer?: HttpServerLike;
  readonly clientFiles?: ClientFiles | undefined;
}

/** A Socket.IO server (spec/server.md 3.3). What it shares with a namespace it does to the main one, `/`. */
export class ServerImplementation extends EventEmitter implements ServerPart {
  static override readonly name: string = "Server";
  readonly opts: ResolvedOptions;
  readonly encoder: PacketEncoder;
  readonly sockets: NamespaceImplementation;
  engine: EnginePart | undefined = undefined;
  httpServer: HttpServerLike | undefined = undefined;
  readonly parentNsps: Map<NamespaceMatcher, ParentNamespaceImplementation> = new Map();
  readonly parentNamespacesFromRegExp: Map<RegExp, ParentNamespaceImplementation> = new Map();
  readonly _parser: PacketParser;
  readonly _nsps: Map<string, NamespaceImplementation> = new Map();
  readonly _guard: ListenerGuard;
  readonly _limits: Limits;
  readonly _admissions: ConnectionMiddleware[] = [];
  readonly _recoveries: RecoveryChecks;
  readonly _errorHooks: ErrorHook[] = [];
  readonly _handlerTimeoutMs: number;
  _adapter: AdapterConstructor;
  _path = "";
  _connectTimeout: number;
  _serveClient: boolean;
  /** What `attach` and `bind` brought, to be ended together. */
  readonly _origins: ConnectionOrigin[] = [];
  _draining = false;
  /** The end that is going on, with what the callbacks of `close` get. */
  _closing: Promise<Error | undefined> | undefined = undefined;

  constructor(target?: unknown, options?: GivenOptions) {
    super();
    const given: GivenOptions = (isOptions(target) ? target : options) ?? {};
    this.opts = resolveOptions(given);
    this._guard = new ListenerGuard(this.opts);
    this._limits = resolveLimits(given);
    this._recoveries = new RecoveryChecks(
      this._guard,
      this.opts.connectionStateRecovery?.maxDisconnectionDuration ?? 0,
    );
    this._handlerTimeoutMs = given.handlerTimeout ?? DEFAULT_HANDLER_TIMEOUT_MS;
    this._parser = (given.parser as PacketParser | undefined) ?? DEFAULT_PARSER;
    this.encoder = new this._parser.Encoder();
    const inMemory = this.opts.connectionStateRecovery ? SessionAwareAdapter : InMemoryAdapter;
    this._adapter = given.adapter ?? (inMemory as AdapterConstructor);
    this._connectTimeout = given.connectTimeout || DEFAULT_CONNECT_TIMEOUT_MS;
    this._serveClient = given.serveClient !== false;
    this.path(given.path || "/socket.io");
    this.sockets = this.of("/");
    // The empty text is what is left of an environment variable that is not set; 0 is a port.
    if ((target || target === 0) && !isOptions(target)) this.attach(target);
  }

  get _opts(): ResolvedOptions {
    return this.opts;
  }

  /** The same as `engine`. */
  get eio(): EnginePart | undefined {
    return this.engine;
  }

  get onListenerError(): ((failure: ListenerFailure) => void) | undefined {
    return this.opts.onListenerError;
  }

  set onListenerError(handler: ((failure: ListenerFailure) => void) | undefined) {
    if (handler === undefined) delete this.opts.onListenerError;
    else this.opts.onListenerError = handler;
  }

  reportFailure(event: string, error: unknown, socket?: unknown, args: readonly unknown[] = []): void {
    this._guard.tell({ socket, event, args: [...args], ack: undefined, error });
  }

  configureEngines(change: (options: Partial<EngineOptions>) => void): this {
    change(this.opts);
    for (const { engine } of this._origins) if (engine.opts !== undefined) change(engine.opts);
    return this;
  }

  // Settings: without an argument they tell, with one they set.

  path(path?: string): string | this {
    if (path === undefined) return this._path;
    this._path = path.replace(/\/$/, "");
    return this;
  }

  connectTimeout(timeoutMs?: number): number | this {
    if (timeoutMs === undefined) return this._connectTimeout;
    this._connectTimeout = timeoutMs;
    return this;
  }

  serveClient(serve?: boolean): boolean | this {
    if (serve === undefined) return this._serveClient;
    this._serveClient = serve;
    return this;
  }

  adapter(adapter?: AdapterConstructor): AdapterConstructor | this {
    if (adapter === undefined) return this._adapter;
    this._adapter = adapter;
    for (const namespace of this._nsps.values()) namespace._initAdapter();
    return this;
  }

  // Where connections come from.

  attach(target: unknown, options: GivenOptions = {}): this {
    const httpServer = httpServerOf(target);
    const merged = { ...options, ...this.opts };
    merged.path ||= this._path;
    debug("serves %s", merged.path);
    const engine = new Engine(merged);
    engine.attach(httpServer as HttpServer, merged);
    // After the engine, so that it comes first.
    const clientFiles = this._serveClient
      ? new ClientFiles(httpServer as HttpServer, merged.path.replace(/\/$/, ""), merged.cors)
      : undefined;
    this.httpServer = httpServer;
    return this._takeFrom({ engine: engine as EnginePart, httpServer, clientFiles });
  }

  listen(target: unknown, options?: GivenOptions): this {
    return this.attach(target, options);
  }

  bind(engine: EnginePart): this {
    return this._takeFrom({ engine });
  }

  _takeFrom(origin: ConnectionOrigin): this {
    const { engine } = origin;
    this._origins.push(origin);
    this.engine = engine;
    engine.on("connection", (conn) => this.onconnection(conn));
    return this;
  }

  /** Takes one connection of an engine. */
  onconnection(conn: Connection): this {
    if (this._draining) conn.close(true);
    else new ClientImplementation(this, conn);
    return this;
  }

  // Namespaces.

  of(name: string | RegExp | NamespaceMatcher, onConnection?: Callback): NamespaceImplementation {
    const namespace = typeof name === "string" ? this._namespaceOf(name) : this._parentOf(name);
    if (onConnection !== undefined) namespace.on("connect", onConnection);
    return namespace;
  }

  _namespaceOf(given: string): NamespaceImplementation {
    const name = given.startsWith("/") ? given : "/" + given;
    const existing = this._nsps.get(name);
    if (existing !== undefined) return existing;
    for (const [pattern, parent] of this.parentNamespacesFromRegExp) {
      if (pattern.test(name)) return parent.createChild(name);
    }
    const namespace = new NamespaceImplementation(this, name);
    this._nsps.set(name, namespace);
    if (name !== "/") this.sockets.emitReserved("new_namespace", namespace);
    return namespace;
  }

  _parentOf(matcher: RegExp | NamespaceMatcher): ParentNamespaceImplementation {
    if (typeof matcher === "function") {
      const parent = new ParentNamespaceImplementation(this);
      this.parentNsps.set(matcher, parent);
      return parent;
    }
    if (matcher.global || matcher.sticky) throw new Error("stateful regular expressions are not supported");
    const parent = new ParentNamespaceImplementation(this);
    this.parentNsps.set((name, _auth, decide) => decide(null, matcher.test(name)), parent);
    this.parentNamespacesFromRegExp.set(matcher, parent);
    return parent;
  }

  /** Asks the matchers one after the other, in the order of their registration, as long as the client is there. */
  _checkNamespace(
    client: ClientPart,
    name: string,
    auth: AuthData,
    callback: (found: NamespacePart | Error) => void,
  ): void {
    const candidates = [...this.parentNsps];
    const ask = (index: number): void => {
      const candidate = candidates[index];
      if (candidate === undefined) return callback(new Error("Invalid namespace"));
      const [matches, parent] = candidate;
      let decided = false;
      const decide = (error: unknown, allow: boolean): void => {
        if (decided) return;
        decided = true;
        // For a client that has gone nothing is made: nobody would clean it up.
        if (client._ended) return;
        if (error || !allow) ask(index + 1);
        // Another client may have asked for the same name meanwhile.
        else callback(this._nsps.get(name) ?? this._newChild(parent, name));
      };
      const refuse = (error: unknown): void => {
        this._guard.report(["of", name], undefined, error);
        decide(null, false);
      };
      try {
        const result = matches(name, auth, decide);
        if (isThenable(result)) result.then(undefined, refuse);
      } catch (error) {
        refuse(error);
      }
    };
    ask(0);
  }

  _newChild(parent: ParentNamespaceImplementation, name: string): NamespacePart | Error {
    return parent.children.size < this._limits.maxDynamicNamespaces ? parent.createChild(name) : tooManyNamespaces();
  }

  // What holds for all namespaces.

  /** Adds a middleware for every socket of every namespace, recovered ones included; runs before those of `use`. */
  useAlways(middleware: ConnectionMiddleware): this {
    this._admissions.push(middleware);
    return this;
  }

  /** Adds a hook that maps or logs what handlers of events throw. */
  useError(hook: ErrorHook): this {
    this._errorHooks.push(hook);
    return this;
  }

  /** Adds a check that is asked before a socket is recovered. */
  confirmRecovery(check: RecoveryCheck): this {
    this._recoveries.add(check);
    return this;
  }

  /** Ends all sockets in any of these rooms, in all namespaces and on all nodes; what is stored of such is void. */
  endSockets(rooms: Room | Room[], how: SocketEnding, reason?: string): this {
    const order: EndingOrder = { rooms: Array.isArray(rooms) ? rooms : [rooms], how, reason };
    const { adapter } = this.sockets;
    // The others first: those whose sockets end here must not get in there.
    this._guard.call(() => adapter.serverSideEmit([END_SOCKETS, order]), adapter, ["endSockets"]);
    this._endLocalSockets(order);
    return this;
  }

  _endLocalSockets(order: unknown): void {
    if (!isEndingOrder(order)) return;
    this._recoveries.invalidate(order.rooms);
    endSockets(this._nsps.values(), order);
  }

  _createAdapter(namespace: NamespacePart): Adapter {
    const Factory = this._adapter as { new (namespace: NamespacePart): Adapter; (namespace: NamespacePart): Adapter };
    // Arrow functions cannot be called with `new`.
    return (Factory.prototype as unknown) === undefined ? Factory(namespace) : new Factory(namespace);
  }

  _createDecoder({ server: engine }: Connection): PacketDecoder {
    if (this._parser !== DEFAULT_PARSER) return new this._parser.Decoder();
    // That of the engine, whose options may have come by `attach`. One made elsewhere may not tell.
    const maxMessageBytes = engine?.opts?.maxHttpBufferSize ?? this.opts.maxHttpBufferSize;
    return defaultDecoder(maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES);
  }

  // The end.

  /**
   * Stops the server (spec/server.md 3.3): the sockets are told, then adapters, connections and the HTTP server are
   * closed. No DISCONNECT packet is sent, so clients come back once a server answers again.
   *
   * Given options instead of a callback, listeners that are still running (those that returned a promise) are awaited
   * first, for `timeoutMs` (default: 5000) at most. Meanwhile no new event, namespace or connection is let in. HTTP
   * requests that are still running after that time (without options: after 30 s) are cut.
   *
   * Called again meanwhile, it waits for the same end and tells the same error; options of that call count for nothing.
   *
   * @param argument - a callback, called with the error of the HTTP server if it was not running; or options
   */
  async close(argument?: Callback | CloseOptions): Promise<void> {
    const callback = typeof argument === "function" ? argument : undefined;
    const options = typeof argument === "object" ? argument : undefined;
    this._closing ??= this._shutDown(options).finally(() => {
      this._closing = undefined;
      this._draining = false;
      debug("is closed");
    });
    const error = await this._closing;
    if (callback !== undefined) this._guard.call(callback, undefined, ["close", error]);
  }

  async _shutDown(options: CloseOptions | undefined): Promise<Error | undefined> {
    debug("closes %d namespaces", this._nsps.size);
    this._draining = true;
    const deadline = performance.now() + (options ? (options.timeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS) : 0);
    if (options) await this._guard.idle(deadline - performance.now());
    for (const { sockets } of this._nsps.values()) {
      for (const socket of sockets.values()) socket._onclose("server shutting down");
    }
    // What listeners of `disconnect` have to clean up.
    if (options) await this._guard.idle(deadline - performance.now());
    const adapters = [...this._nsps.values()].map(({ adapter }) => adapter);
    const adaptersMs = options ? Math.max(deadline - performance.now(), LAST_ANSWERS_MS) : RUNNING_REQUESTS_MS;
    await within(Promise.allSettled(adapters.map(async (adapter) => adapter.close())), adaptersMs);
    // Whoever attaches it again begins anew.
    const origins = this._origins.splice(0);
    await Promise.all(origins.map(({ engine }) => engine.close()));
    const graceMs = options ? Math.max(deadline - performance.now(), LAST_ANSWERS_MS) : RUNNING_REQUESTS_MS;
    const isKept = options?.closeHttpServer === false;
    // Who came last stands in front. Where a bound engine has its requests from goes on in any case.
    for (const { engine, httpServer, clientFiles } of origins.toReversed()) {
      if (!isKept && httpServer !== undefined) continue;
      clientFiles?.detach();
      engine.detach?.();
    }
    if (isKept) return undefined;
    const httpServers = new Set([this.httpServer, ...origins.map(({ httpServer }) => httpServer)]);
    const errors = await Promise.all(
      [...httpServers].map((httpServer) => httpServer && closeHttpServer(httpServer, graceMs)),
    );
    return errors.find((error) => error !== undefined);
  }

  // The main namespace.

  use(middleware: ConnectionMiddleware): this {
    this.sockets.use(middleware);
    return this;
  }

  useContract(contract: Contract): this {
    this.sockets.useContract(contract);
    return this;
  }

  handle(event: string, ...stepsAndHandler: unknown[]): this {
    this.sockets.handle(event, ...stepsAndHandler);
    return this;
  }

  authorize(pattern: string, check: RoomCheck): this {
    this.sockets.authorize(pattern, check);
    return this;
  }

  send(...args: unknown[]): this {
    this.sockets.emit("message", ...args);
    return this;
  }

  write(...args: unknown[]): this {
    return this.send(...args);
  }
}

forwardToMainNamespace(ServerImplementation.prototype);

/** @param graceMs - after which requests that are still running are cut */
function closeHttpServer(httpServer: HttpServerLike, graceMs: number): Promise<Error | undefined> {
  const connections = httpServer as Partial<HttpServer>;
  const timer = setTimeout(() => connections.closeAllConnections?.(), graceMs);
  // A connection that falls idle behind its last answer, as that of a poll, would stay for the time of its keep-alive.
  const sweep = setInterval(() => connections.closeIdleConnections?.(), LAST_ANSWERS_MS);
  return new Promise((resolve) => {
    httpServer.close((error) => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve(error);
    });
  });
}

/** Waits for work, but not longer than that: an adapter may wait for a database that is down. */
async function within(work: Promise<unknown>, maxMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, maxMs)));
  await Promise.race([work, time]);
  clearTimeout(timer);
}

/** A copy with the defaults of what is read from it; engine options keep theirs to the engine. */
function resolveOptions({ connectionStateRecovery, ...rest }: GivenOptions): ResolvedOptions {
  if (!connectionStateRecovery) return rest;
  return { ...rest, connectionStateRecovery: { ...DEFAULT_RECOVERY, ...connectionStateRecovery } };
}
