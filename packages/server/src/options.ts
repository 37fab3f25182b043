import type { AttachOptions, EngineOptions } from "@plugboard/engine";
import type { AdapterConstructor } from "./adapter-contract.js";

/** The sending half of a parser. */
export interface ParserEncoder {
  /** Chunks of a packet, in order: one string, then one chunk per attachment. */
  encode(packet: any): any[];
}

/** The receiving half of a parser; emits `decoded` for each whole packet. */
export interface ParserDecoder {
  /** Takes one chunk. Throws when it is not valid, which closes the connection. */
  add(chunk: any): void;
  on(event: "decoded", listener: (packet: any) => void): unknown;
  /** Drops what it holds of an unfinished packet. */
  destroy(): void;
}

/** Turns packets into chunks and back. One encoder per server, one decoder per connection. */
export interface Parser {
  Encoder: new () => ParserEncoder;
  Decoder: new () => ParserDecoder;
}

/** Connection state recovery (spec/server.md 3.11). */
export interface ConnectionStateRecoveryOptions {
  /** Milliseconds a client may be away. Default: 120000. */
  maxDisconnectionDuration?: number;
  /** Whether a recovered socket passes by the middlewares. Default: true. */
  skipMiddlewares?: boolean;
  /**
   * Encoded bytes of recent packets that the in-memory adapter keeps per namespace; beyond that the oldest go, and who
   * has missed one of them starts anew. Default: 64 MiB.
   */
  maxStoredBytes?: number;
  /** The same, in packets. Default: 10000. */
  maxStoredPackets?: number;
  /** Sessions of clients that are away, kept per namespace; beyond that the oldest go. Default: 10000. */
  maxStoredSessions?: number;
}

/** What a listener of the user threw, or rejected with. */
export interface ListenerFailure<SocketType = unknown> {
  /** The socket it was about; undefined when there was none, as for an event of another server. */
  readonly socket: SocketType | undefined;
  /** Name of the event. */
  readonly event: string | symbol;
  /** Arguments of the listener, without the acknowledgement. */
  readonly args: readonly unknown[];
  /** The acknowledgement the client waits for, if any. Nothing calls it but you. */
  readonly ack: ((...args: unknown[]) => void) | undefined;
  /** What was thrown. */
  readonly error: unknown;
}

/** Options of a server (spec/server.md 3.2), with those of its engine. `SocketType` is what failures of listeners name. */
export interface ServerOptions<SocketType = unknown> extends EngineOptions, AttachOptions {
  /** Requests whose URL starts with it are ours. Default: "/socket.io". */
  path: string;
  /**
   * Whether the bundles of the browser client are served under `path`: `socket.io.js`, `socket.io.min.js`,
   * `socket.io.esm.min.js`, `socket.io.msgpack.min.js`, and the source map of each. Default: true.
   */
  serveClient: boolean;
  /** Keeps rooms and reaches other nodes. Default: in memory. */
  adapter: AdapterConstructor;
  /** Default: that of protocol 5. */
  parser: Parser;
  /** Milliseconds a connection may stay without joining a namespace. Default: 45000, also for 0. */
  connectTimeout: number;
  /** Default: none, so a client that comes back is a new socket. */
  connectionStateRecovery?: ConnectionStateRecoveryOptions;
  /** Whether a child of a dynamic namespace goes with its last socket. Default: false. */
  cleanupEmptyChildNamespaces: boolean;
  /**
   * Packets (events, acknowledgements, CONNECTs) a client may send per second, on average over five seconds. One that sends more is
   * disconnected, after an `error` event with code `SIO_TOO_MANY_EVENTS` on its sockets. Default: 10000.
   */
  maxEventsPerSecond?: number;
  /** Namespaces a client may be in; more are refused with `connect_error`, code `SIO_TOO_MANY_NAMESPACES`. Default: 500. */
  maxNamespacesPerClient?: number;
  /** Namespaces whose middlewares may run for a client at the same time; refused likewise. Default: 100. */
  maxPendingConnects?: number;
  /** Children a pattern or function given to `of()` may have; refused likewise. Default: 10000. */
  maxDynamicNamespaces?: number;
  /**
   * Whether errors of listeners crash the process, as in the reference, instead of going to `onListenerError`.
   * Default: false.
   */
  compat?: boolean;
  /**
   * Milliseconds that a handler (`handle()`) may take before its acknowledgement is answered with `SIO_HANDLER_TIMEOUT`
   * in its place; it is not stopped. Default: 30000; 0, or more than 2147483647, for no limit.
   */
  handlerTimeout?: number;
  /** Gets what listeners throw or reject with. Default: prints it and goes on, without an acknowledgement. */
  onListenerError?: (failure: ListenerFailure<SocketType>) => void;
}
