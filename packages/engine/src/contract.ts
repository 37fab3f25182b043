import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ENGINE_ERROR_MESSAGES, EngineCloseReason, EngineErrorCode } from "@plugboard/protocol";
import type { HeaderFields, HttpAnswer, HttpRequestLike, Query } from "./http-port.js";
import type { EngineMiddleware } from "./node/engine-middleware.js";
import type { UpgradeAnswer } from "./node/upgrade-answer.js";
import type { AttachOptions, EngineOptions, ResolvedEngineOptions } from "./options.js";
import type { ReadyState } from "./session-states.js";
import type { QueuedPacket, SendCallback, SendOptions, Transport } from "./transports/transport.js";

/** The request that began a session, with its parsed query. */
export type HandshakeRequest = IncomingMessage & { _query: Query };

type MessageData = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** Takes what a session receives without an emitter in between: the straight path for whoever stands on the engine. */
export interface SessionReceiver {
  ondata(data: string | Uint8Array): void;
  onclose(reason: EngineCloseReason, description?: Error): void;
}

/**
 * One Engine.IO connection; it outlives the transports that carry it.
 *
 * Events (spec/server.md 1.13): `open`, `packet(packet)`, `packetCreate(packet)`, `data(data)` and `message(data)`,
 * `heartbeat`, `flush(batch)`, `drain`, `idle` (nothing waits any more), `upgrading(transport)`, `upgrade(transport)`, `close(reason, description?)`.
 */
export interface Session extends EventEmitter {
  /** 20 chars, secret: whoever knows it can speak for the client. */
  readonly id: string;
  readonly protocol: number;
  readonly request: HandshakeRequest;
  readonly remoteAddress: string | undefined;
  /** The engine it belongs to. */
  readonly server: Engine;
  readonly readyState: ReadyState;
  readonly transport: Transport;
  /** Whether another transport is being tried. */
  readonly upgrading: boolean;
  readonly upgraded: boolean;
  /** Packets not yet handed to the transport. */
  readonly writeBuffer: QueuedPacket[];
  /** Bytes that wait for the client: queued, or handed to the transport and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** Sets the one receiver of messages and of the close; it is called before the listeners of these events. */
  attachReceiver(receiver: SessionReceiver): void;
  /**
   * Sends a message. Nothing happens once the session is closing.
   *
   * @param callback - runs when the message has been written; never when it was not sent
   */
  send(data: MessageData, options?: SendOptions | SendCallback, callback?: SendCallback): this;
  /** The same as `send`. */
  write(data: MessageData, options?: SendOptions | SendCallback, callback?: SendCallback): this;
  /**
   * Ends the session after what is queued has been sent.
   *
   * @param discard - drop what is queued and end at once. Default: false
   */
  close(discard?: boolean): void;
}

/**
 * The Engine.IO server.
 *
 * Events (spec/server.md 1.13): `connection(session)`, `connection_error({ req, code, message, context })`,
 * `initial_headers(headers, req)`, `headers(headers, req)`, `flush(session, batch)`, `drain(session)`.
 */
export interface Engine extends EventEmitter {
  /** Options in force; read at the time of use. */
  readonly opts: ResolvedEngineOptions;
  /** Open sessions by id. */
  readonly clients: Record<string, Session>;
  readonly clientsCount: number;
  readonly httpServer: HttpServer | undefined;
  /** What `use` has added, in order and live; the first is that of the `cors` option, if set. */
  readonly middlewares: EngineMiddleware[];
  /** The server object of `ws`, or of `wsEngine`; undefined when WebSocket is not among the transports. */
  readonly ws: object | undefined;
  /** Names of the transports that a handshake over this transport offers to upgrade to. */
  upgrades(transport: string): string[];
  /** Adds an Express-style middleware for every HTTP request and upgrade. */
  use(middleware: EngineMiddleware): this;
  /** Makes the id of a new session; may be replaced by assignment. A throw or rejection refuses the handshake. */
  generateId(request: IncomingMessage): string | PromiseLike<string>;
  /** Serves the requests and upgrades of a path of this HTTP server; an engine may serve several. */
  attach(server: HttpServer, options?: AttachOptions): this;
  /** Leaves the HTTP servers with the listeners they had; open sessions live on. */
  detach(): this;
  /** Whether a request URL (path and query) is for this engine. */
  matches(url: string): boolean;
  /** Answers a polling request with a value: send it in your own way, then call its `done`. Middlewares do not run. */
  handle(request: HttpRequestLike): Promise<HttpAnswer>;
  /** Runs the middlewares, then answers a request of Node's `http`. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  /** Serves an upgrade request of Node's `http`; `headers` are added to the 101 answer. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, extra?: { headers?: HeaderFields }): void;
  /**
   * Answers an upgrade request in plain HTTP on its raw socket, and ends that: for whoever refuses one before it comes to
   * `handleUpgrade`.
   *
   * @param answer - `status`, 200 to 599, with `headers` and `body` if you like
   * @throws TypeError for a header field that cannot be sent; the connection is cut then
   */
  refuseUpgrade(socket: Duplex, answer: UpgradeAnswer): void;
  /** Ends all sessions without waiting for what is queued. */
  close(): this;
}

export interface EngineConstructor {
  new (options?: EngineOptions & AttachOptions): Engine;
  readonly prototype: Engine;
  /** Codes of refusals, by name: `code` of `connection_error`, and of the answer that the client gets. */
  readonly errors: typeof EngineErrorCode;
  /** What these codes mean, in words. */
  readonly errorMessages: typeof ENGINE_ERROR_MESSAGES;
}

/** The class of sessions, for `instanceof`. An engine makes them. */
export interface SessionClass {
  readonly prototype: Session;
  [Symbol.hasInstance](value: unknown): value is Session;
}
