import type { IncomingMessage } from "node:http";
import type { ZlibOptions } from "node:zlib";
import type { CookieOptions } from "./handshake-cookie.js";
import type { HeaderFields } from "./http-port.js";
import type { CorsSettings } from "./node/cors-middleware.js";

/** "webtransport" is accepted for the sake of programs written for the reference; it is not served yet. */
export type TransportName = "polling" | "websocket" | "webtransport";

/** See `slowConsumer`. */
export type SlowConsumerPolicy = "disconnect" | "pause" | "drop volatile";

/** How a handshake is refused, in HTTP. */
export interface HandshakeRefusal {
  /** From 400 to 599. Default: 403; 400 where the client asked for an upgrade. */
  status?: number;
  /** Added to the answer, such as `Retry-After`. */
  headers?: HeaderFields;
}

/**
 * Decides on a handshake: call `decide(null, true)` to let it in, `decide("why", false)` to refuse it; a third argument
 * says with which status and header fields.
 */
export type AllowRequest = (
  req: IncomingMessage,
  decide: (error: string | null | undefined, success: boolean, refusal?: HandshakeRefusal) => void,
) => void;

/**
 * Decides on a handshake by where its page comes from. Whoever throws or rejects lets nobody in.
 *
 * @param origin - the `Origin` field, such as "https://app.example" or "null"
 */
export type OriginCheck = (origin: string, req: IncomingMessage) => boolean | PromiseLike<boolean>;

/** WebSocket compression, in the words of `ws`. */
export interface PerMessageDeflateOptions {
  /** Messages shorter than this, in bytes, are not compressed. Default: 1024. */
  threshold?: number;
  serverNoContextTakeover?: boolean;
  clientNoContextTakeover?: boolean;
  serverMaxWindowBits?: number;
  clientMaxWindowBits?: number;
  /** Compressions at the same time. Default: 10. */
  concurrencyLimit?: number;
  zlibDeflateOptions?: Omit<ZlibOptions, "dictionary">;
  zlibInflateOptions?: Omit<ZlibOptions, "dictionary">;
}

/** What a `wsEngine` has to be: the server class of `ws` or one made after it (spec/server.md 1.9). */
export type WebSocketEngine = new (options: object) => unknown;

/** What a listener or callback of the user threw, or rejected with. */
export interface EngineListenerFailure {
  /** Events of the engine are not about a Socket.IO socket. */
  readonly socket: undefined;
  readonly event: string | symbol;
  readonly args: readonly unknown[];
  readonly ack: undefined;
  readonly error: unknown;
}

/** Options of the engine (spec/server.md 1.1). Stored on `engine.opts`, where they may be changed at run time. */
export interface EngineOptions {
  /** Milliseconds between two pings. Default: 25000. */
  pingInterval?: number;
  /** Milliseconds a client has to answer a ping before it counts as gone. Default: 20000. */
  pingTimeout?: number;
  /** Milliseconds an upgrade may take. Default: 10000. */
  upgradeTimeout?: number;
  /** Bytes of a polling request body or a WebSocket message; told to the client as `maxPayload`. Default: 1000000. */
  maxHttpBufferSize?: number;
  /** Asked once per handshake, on both transports. Default: none. */
  allowRequest?: AllowRequest;
  /** Transports on offer. Default: `["polling", "websocket"]`. */
  transports?: TransportName[];
  /** Whether the handshake tells a polling client to upgrade. Default: true. */
  allowUpgrades?: boolean;
  /** WebSocket compression. Default: false; `true` means a threshold of 1024 bytes. */
  perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /** Compression of polling answers. Default: from 1024 bytes on. */
  httpCompression?: boolean | (ZlibOptions & { threshold?: number });
  /** WebSocket server class. Default: that of `ws`. */
  wsEngine?: WebSocketEngine;
  /** Sent as a message right after the handshake. Default: none. */
  initialPacket?: string | Uint8Array;
  /** Cookie set by the handshake of a polling client. Default: false; `true` means `{ name: "io" }`. */
  cookie?: boolean | CookieOptions;
  /**
   * Handshakes per second and address, on average over ten seconds; more are refused with 429. Behind a proxy all
   * clients share its address. Default: 1000; `Infinity` switches it off.
   */
  maxHandshakesPerSecond?: number;
  /** Bytes that may wait for one client; texts count by their chars. Default: 64 MiB. What happens then, `slowConsumer` says. */
  maxBufferedBytes?: number;
  /** Packets that may wait for one client. Default: 500000. */
  maxBufferedPackets?: number;
  /**
   * What happens to a client that takes its messages more slowly than they are sent, once `maxBufferedBytes` or
   * `maxBufferedPackets` wait for it. Volatile messages never wait, whatever is set here.
   *
   * - `"disconnect"`: its connection is closed (`transport error`); it may come back. The default.
   * - `"pause"`: nothing is read from it until half of that has left, so that it cannot keep asking; at twice the limit
   *   it is disconnected. Its pongs are not read either: one that does not catch up within `pingTimeout` is gone.
   * - `"drop volatile"`: volatile messages are dropped, as always while something waits; others go on to wait, up to
   *   twice the limit; then it is disconnected.
   */
  slowConsumer?: SlowConsumerPolicy;
  /**
   * Accepted so that programs written for the reference compile. Protocol 3 is not served yet: `true` gives a process
   * warning with code `EIO_PROTOCOL_3_NOT_SERVED`, and such clients are refused. Default: false.
   */
  allowEIO3?: boolean;
  /** Gets what listeners and callbacks throw or reject with. Default: it is printed. Nothing of it ends the process. */
  onListenerError?: (failure: EngineListenerFailure) => void;
  /** Whether such errors end the process all the same, as in the reference. Default: false. */
  compat?: boolean;
  /** Cross-origin rules, in the words of the `cors` package. Default: none, so browsers keep other origins out. */
  cors?: CorsSettings;
  /**
   * Whether pages of other origins are kept out: to be switched on where a cookie, or anything else that browsers send
   * by themselves, says who a client is. A handshake with an `Origin` is then refused with 403, on polling and websocket
   * alike, unless that is the origin of the server itself (same host and port as asked for, `https` if the connection is
   * encrypted) or one that may read answers with cookies by `cors` (it is named, and `credentials` is true: "*" allows
   * nobody). The later requests of a session have to come from the same origin. Programs, which send no `Origin`, are let in.
   *
   * A function decides in place of that rule, about every handshake with an `Origin`: say, behind a proxy that changes
   * `Host`. May be set at run time, on `engine.opts`. Default: false.
   */
  checkOrigin?: boolean | OriginCheck;
}

/** Options of `engine.attach` (spec/server.md 1.2). */
export interface AttachOptions {
  /** Requests whose URL starts with it are ours. Default: "/engine.io". */
  path?: string;
  /** Whether the path has to be followed by a slash. Default: true. */
  addTrailingSlash?: boolean;
  /** Whether an upgrade that nobody else listens for is ended. Default: true. */
  destroyUpgrade?: boolean;
  /** After how many milliseconds. Default: 1000. */
  destroyUpgradeTimeout?: number;
}

type Defaulted =
  | "pingInterval"
  | "pingTimeout"
  | "upgradeTimeout"
  | "maxHttpBufferSize"
  | "transports"
  | "allowUpgrades"
  | "httpCompression"
  | "cookie"
  | "maxHandshakesPerSecond"
  | "maxBufferedBytes"
  | "maxBufferedPackets"
  | "slowConsumer";

export type ResolvedEngineOptions = AttachOptions &
  Omit<EngineOptions, Defaulted> &
  Required<Pick<EngineOptions, Defaulted>>;

const DEFAULT_COMPRESSION_THRESHOLD_BYTES = 1024;

export function resolveEngineOptions(options: EngineOptions & AttachOptions = {}): ResolvedEngineOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as EngineOptions;
  const resolved: ResolvedEngineOptions = {
    pingInterval: 25_000,
    pingTimeout: 20_000,
    upgradeTimeout: 10_000,
    maxHttpBufferSize: 1_000_000,
    transports: ["polling", "websocket"],
    allowUpgrades: true,
    httpCompression: { threshold: DEFAULT_COMPRESSION_THRESHOLD_BYTES },
    cookie: false,
    maxHandshakesPerSecond: 1000,
    maxBufferedBytes: 64 * 1024 * 1024,
    maxBufferedPackets: 500_000,
    slowConsumer: "disconnect",
    ...given,
  };
  if (resolved.perMessageDeflate) {
    const asked = resolved.perMessageDeflate === true ? {} : resolved.perMessageDeflate;
    resolved.perMessageDeflate = { threshold: DEFAULT_COMPRESSION_THRESHOLD_BYTES, ...asked };
  }
  if (resolved.cookie) {
    const asked = resolved.cookie === true ? {} : resolved.cookie;
    resolved.cookie = { name: "io", path: "/", httpOnly: true, sameSite: "lax", ...asked };
  }
  return resolved;
}

/** The prefix that the URLs of an engine start with: one trailing slash exactly, or none when asked so. */
export function engineUrlPrefix(options: AttachOptions = {}): string {
  const path = (options.path ?? "/engine.io").replace(/\/$/, "");
  return options.addTrailingSlash === false ? path : path + "/";
}
