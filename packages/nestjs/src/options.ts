import type { ErrorAnswer, ServerOptions, Socket } from "@plugboard/server";
import type { EventLimitOptions, HandshakeLimitOptions } from "@plugboard/rate-limit";
import type { SessionOptions } from "./shared-sessions.js";

/** How acknowledgements are answered. */
export interface AckOptions {
  /**
   * Where errors go when the client waits for an acknowledgement: `"ack"` answers it, `"event"` sends the event `exception`,
   * `"both"` does both. Without an acknowledgement, an error is always the event. Default: `"ack"`.
   */
  errors?: "ack" | "event" | "both";
  /** Which value of an observable is the answer; `"all"`: an array of all. Default: `"first"`. */
  observable?: "first" | "last" | "all";
  /** Replaces what clients read of an error. Undefined leaves it as it is. */
  format?: (error: unknown, answer: ErrorAnswer, failure: FailedEvent) => unknown;
}

/** The event that failed. */
export interface FailedEvent {
  readonly socket: Socket;
  readonly event: string;
  readonly args: readonly unknown[];
}

/** How the application closes. */
export interface ShutdownOptions {
  /** Milliseconds that handlers and `handleDisconnect` may still take. Default: 5000. */
  timeout?: number;
  /**
   * When sockets are closed: `"moduleDestroy"` before `onModuleDestroy` of the other modules, so that handlers find what those
   * close, such as databases (needs `SocketIoModule`, global on Nest 10), and `"beforeShutdown"` is the same; `"dispose"` when Nest disposes of its adapters, before `onApplicationShutdown`.
   * Default: `"dispose"`.
   */
  phase?: "moduleDestroy" | "beforeShutdown" | "dispose";
}

/** Options of the adapter and of `SocketIoModule`: those of the server, and those of the integration. */
export interface SocketIoOptions extends Partial<ServerOptions> {
  /** `"compat"`: acknowledgements as `@nestjs/platform-socket.io` has them, which leaves most failures without one. */
  acks?: AckOptions | "compat";
  /** Whether clients read status and message of an `HttpException`; otherwise it is an internal error. Default: true. */
  mapHttpExceptions?: boolean;
  /** Whether errors carry `cause`, with the pattern and what the client has sent. Default: false. */
  includeCause?: boolean;
  /** Whether events wait until `handleConnection` is over. Default: true. */
  awaitConnection?: boolean;
  /** Milliseconds that `handleConnection` may take before the socket is disconnected; 0 for no limit. Default: 30000. */
  connectionTimeout?: number;
  /**
   * Events that may wait for `handleConnection`, or for their turn, per socket; one more disconnects it, and so do more bytes of all
   * sockets of a client than 64 times `maxHttpBufferSize`. Default: 1000.
   */
  maxWaitingEvents?: number;
  /**
   * `"app"`: handshakes pass through the middlewares and hooks of the Express or Fastify application that were added before
   * `app.init()`, and those of `configure(consumer)`. `"direct"`: they do not. Servers on a port of their own are always direct. Default: `"app"`.
   */
  handshake?: "app" | "direct";
  /** `"class"`: guards of the gateway's class are asked at connect too. Default: `"own"`, those of `@UseConnectionGuards`. */
  connectionGuards?: "own" | "class";
  /** Whether global guards, pipes and interceptors apply to gateways on Nest 10 and 11, as they do on 12. Default: false. */
  globalEnhancers?: boolean;
  /** Whether global exception filters apply to gateways. Default: false. */
  globalFilters?: boolean;
  /**
   * How sockets share the sessions of the application, which they do if it has any: `socket.session`, and sockets end with
   * their session. False: they do not. Needs `handshake: "app"`. Default: `{}`.
   */
  session?: SessionOptions | false;
  shutdown?: ShutdownOptions;
  /**
   * How many events of a socket are handled at the same time; the others wait for their turn. `@Serial()` and `@Concurrency(n)`
   * say it of a gateway or a handler. Default: no limit.
   */
  concurrency?: number;
  /**
   * Events that neither a gateway nor a listener hears: `"ack-error"` answers acknowledgements with `SIO_UNKNOWN_EVENT`.
   * Default: `"ignore"`.
   */
  unknownEvents?: "ignore" | "ack-error";
  /**
   * Limits of `@plugboard/rate-limit`, for each server; addresses are those that the platform says (`trust proxy`) where handshakes
   * pass through it. Default: none.
   */
  rateLimit?: RateLimits;
  /**
   * Whether gateways with a port of their own take it over from an application that had it before in the same process, as hot
   * reloading leaves it behind. Default: false.
   */
  hmr?: boolean;
}

/** What is limited. */
export interface RateLimits {
  /** How often clients begin a connection. */
  handshake?: HandshakeLimitOptions;
  /** Events of clients. */
  events?: EventLimitOptions;
}

/** The same with defaults, without those of the server. */
export interface OwnOptions {
  readonly compatAcks: boolean;
  readonly acks: AckOptions;
  readonly mapHttpExceptions: boolean;
  readonly includeCause: boolean;
  readonly awaitConnection: boolean;
  readonly connectionTimeoutMs: number;
  readonly maxWaitingEvents: number;
  readonly handshake: "app" | "direct";
  readonly connectionGuards: "own" | "class";
  readonly globalEnhancers: boolean;
  readonly globalFilters: boolean;
  readonly session: SessionOptions | false;
  readonly shutdownTimeoutMs: number;
  /** Whether it ends before the hooks `onModuleDestroy` of other modules. */
  readonly closesEarly: boolean;
  readonly concurrency: number;
  readonly unknownEvents: "ignore" | "ack-error";
  readonly rateLimit: RateLimits;
  readonly hmr: boolean;
}

/** Tells the options of the integration from those of the server. */
export function resolveOptions(options: SocketIoOptions): { own: OwnOptions; server: Partial<ServerOptions> } {
  const {
    acks = {},
    mapHttpExceptions = true,
    includeCause = false,
    awaitConnection = true,
    connectionTimeout = 30_000,
    maxWaitingEvents = 1000,
    handshake = "app",
    connectionGuards = "own",
    globalEnhancers = false,
    globalFilters = false,
    session = {},
    shutdown = {},
    concurrency = Number.POSITIVE_INFINITY,
    unknownEvents = "ignore",
    rateLimit = {},
    hmr = false,
    ...server
  } = options;
  const own: OwnOptions = {
    compatAcks: acks === "compat",
    acks: acks === "compat" ? {} : acks,
    mapHttpExceptions,
    includeCause,
    awaitConnection,
    connectionTimeoutMs: connectionTimeout,
    maxWaitingEvents,
    handshake,
    connectionGuards,
    globalEnhancers,
    globalFilters,
    session,
    shutdownTimeoutMs: shutdown.timeout ?? 5000,
    closesEarly: (shutdown.phase ?? "dispose") !== "dispose",
    concurrency,
    unknownEvents,
    rateLimit,
    hmr,
  };
  return { own, server };
}
