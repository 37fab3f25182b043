/*
 * What the classes of this package know of each other. They are mutually recursive by nature (a socket knows its
 * namespace, which knows its sockets), so each sees the others through these interfaces and files import downwards
 * only. They are the untyped inside of the generic interfaces in `contract.ts`, which is what users see.
 */
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { ParsedUrlQuery } from "node:querystring";
import type { Contract } from "@plugboard/contract";
import type { Packet } from "@plugboard/protocol";
import type { Adapter, Room, SocketId } from "./adapter-contract.js";
import type { WriteOptions } from "./emit-flags.js";
import type { Callback, EventHandling, HandledEvent } from "./event-parts.js";
import type { Limits } from "./limits.js";
import type { RecoveryChecks } from "./recovery-checks.js";

export type { Callback };
export type Next = (error?: unknown) => void;
export type ConnectionMiddleware = (socket: SocketPart, next: Next) => unknown;
export type EventMiddleware = (event: unknown[], next: Next) => unknown;
export type AuthData = Record<string, unknown>;

/** One piece of an encoded packet. */
export type Chunk = string | Uint8Array;

/** The request a connection began with; `_query` is set by the engine. */
export type HandshakeRequest = IncomingMessage & { readonly _query?: ParsedUrlQuery };

/** One Engine.IO connection, ours or that of an engine given to `io.bind()` (spec/server.md 1.22). */
export interface Connection {
  readonly id: string;
  readonly protocol: number;
  readonly request: HandshakeRequest | undefined;
  readonly remoteAddress?: string | undefined;
  readonly readyState: string;
  readonly transport: { readonly name: string; readonly writable: boolean };
  /** Its engine. */
  readonly server?: { readonly opts?: { readonly maxHttpBufferSize?: number | undefined } };
  /** Bytes that wait for the client; other engines may not tell. */
  readonly bufferedAmount?: number;
  write(chunk: Chunk, options?: WriteOptions): unknown;
  close(discard?: boolean): unknown;
  on(event: string, listener: Callback): unknown;
  removeListener(event: string, listener: Callback): unknown;
  /** The straight path of our own engine; others emit `data`, `error` and `close`. */
  attachReceiver?(receiver: ConnectionReceiver): void;
}

export interface ConnectionReceiver {
  ondata(data: unknown): void;
  onclose(reason: string, description?: unknown): void;
}

export interface PacketEncoder {
  encode(packet: Packet): Chunk[];
}

export interface PacketDecoder {
  add(chunk: unknown): void;
  destroy(): void;
  on(event: "decoded", listener: (packet: Packet) => void): unknown;
  removeListener(event: "decoded", listener: (packet: Packet) => void): unknown;
  /** The straight path of the default parser: returns the completed packet instead of emitting it. */
  decode?(chunk: unknown): Packet | undefined;
}

export interface PacketParser {
  readonly Encoder: new () => PacketEncoder;
  readonly Decoder: new () => PacketDecoder;
}

export interface RecoveryOptions {
  readonly maxDisconnectionDuration: number;
  readonly skipMiddlewares: boolean;
  readonly maxStoredBytes: number;
  readonly maxStoredPackets: number;
  readonly maxStoredSessions: number;
}

export interface ServerPart extends EventHandling {
  readonly encoder: PacketEncoder;
  readonly opts: { connectionStateRecovery?: RecoveryOptions; cleanupEmptyChildNamespaces?: boolean };
  readonly sockets: NamespacePart;
  readonly _parser: PacketParser;
  readonly _nsps: Map<string, NamespacePart>;
  readonly _connectTimeout: number;
  readonly _limits: Limits;
  /** Middlewares for every socket of every namespace, recovered ones included. */
  readonly _admissions: readonly ConnectionMiddleware[];
  readonly _recoveries: RecoveryChecks;
  /** Set while the server is closing: nothing new is let in. */
  readonly _draining: boolean;
  /** Ends sockets of this node, as another node has asked. */
  _endLocalSockets(order: unknown): void;
  _createDecoder(connection: Connection): PacketDecoder;
  _createAdapter(namespace: NamespacePart): Adapter;
  /** Looks for a dynamic namespace that admits `name`; creates it if need be. */
  _checkNamespace(
    client: ClientPart,
    name: string,
    auth: AuthData,
    callback: (found: NamespacePart | Error) => void,
  ): void;
}

export interface NamespacePart extends EventEmitter {
  readonly name: string;
  readonly server: ServerPart;
  readonly adapter: Adapter;
  readonly sockets: Map<SocketId, SocketPart>;
  readonly _preConnectSockets: Map<SocketId, SocketPart>;
  /** Next ack id, shared by the sockets and the broadcasts of the namespace. */
  _ids: number;
  /** What may be sent and received, if there is such a rule. */
  readonly _contract: Contract | undefined;
  /** The handler of an event for all its sockets. */
  _handlerOf(event: unknown): HandledEvent | undefined;
  _add(client: ClientPart, auth: AuthData, onSettled: (socket: SocketPart | undefined) => void): void;
  _remove(socket: SocketPart): void;
  /** Calls the listeners of an event, where `emit` would send it to the clients. */
  emitReserved(event: string, subject: SocketPart | NamespacePart): boolean;
}

export interface ClientPart {
  readonly conn: Connection;
  readonly request: HandshakeRequest | undefined;
  readonly id: string;
  /** Set by `rehandshake()`: no socket of this client may be recovered. */
  readonly _unrecoverable: boolean;
  /** Whether the connection is over. */
  readonly _ended: boolean;
  /** Told while the middlewares of a namespace run, so that an end of the connection ends that too. */
  _onPending(socket: SocketPart): void;
  _packet(packet: Packet | Chunk[], options: WriteOptions): void;
  _refuse(name: string, error: unknown): void;
  writeToEngine(chunks: Chunk[], options: WriteOptions): void;
  _remove(socket: SocketPart): void;
  _disconnect(): void;
  _rehandshake(reason: string | undefined): void;
  /** Ends a connection that was lost without a word: its client is back on another one. */
  _supersede(): void;
}

export interface SocketPart extends EventEmitter {
  readonly id: SocketId;
  readonly nsp: NamespacePart;
  readonly client: ClientPart;
  readonly pid: string | undefined;
  readonly recovered: boolean;
  readonly rooms: Set<Room>;
  readonly acks: Map<number, Callback>;
  connected: boolean;
  join(rooms: Room | Room[]): Promise<void> | void;
  leave(room: Room): Promise<void> | void;
  disconnect(close?: boolean): unknown;
  notifyOutgoingListeners?(packet: Packet): void;
  _dropAck(id: number): void;
  _onpacket(packet: Packet): void;
  _onconnect(): void;
  _onclose(reason: string, description?: unknown): unknown;
  _onerror(error: unknown): void;
  _error(data: unknown): void;
  /** Ends a socket whose connection was lost before it was let in. */
  _abandon(): void;
  _cleanup(): void;
}
