/** What sockets, managers, engines and transports emit themselves (spec/client.md 2.3, 3.2, 4.2), and what they hand to the listeners. */
import type { EnginePacketType, PacketType } from "@plugboard/protocol";
import type { TransportError } from "./transports/transport-error.js";

/** An error of `connect_error`. */
export interface ExtendedError extends Error {
  /** What a middleware of the server put there. */
  data?: any;
}

/** What a transport knew of the end of a connection. */
export interface CloseDetails {
  description: string;
  /** The event or request it happened to. */
  context?: unknown;
}

/** More about a `disconnect`, when the transport knew more. */
export type DisconnectDescription = Error | CloseDetails;

/** Why a socket is not connected any more. After the first two it stays away, after the others it comes back. */
export type SocketDisconnectReason =
  | "io server disconnect"
  | "io client disconnect"
  | "ping timeout"
  | "transport close"
  | "transport error"
  | "parse error";

/** What a socket emits itself. */
export interface SocketReservedEvents {
  /** The namespace is joined, for the first time or again. */
  connect: () => void;
  /** The connection could not be made, which is tried again, or the server refused the socket, which is not: see `active`. */
  connect_error: (err: ExtendedError) => void;
  /** The socket is away. `active` tells whether it comes back by itself. */
  disconnect: (reason: SocketDisconnectReason, description?: DisconnectDescription) => void;
}

/** A Socket.IO packet. */
export interface Packet {
  type: PacketType;
  /** Name of the namespace. */
  nsp: string;
  /** What belongs to the type: `[event, ...args]`, the arguments of an acknowledgement, auth data, an error. */
  data?: any;
  /** Joins an event and its acknowledgement. */
  id?: number;
  /** Number of binary values; only on the wire. */
  attachments?: number;
}

/** What a manager emits itself. Its sockets do not repeat it. */
export interface ManagerReservedEvents {
  /** The connection is open; sockets are about to ask for their namespaces. */
  open: () => void;
  /** The connection could not be made, or fails. */
  error: (err: Error) => void;
  /** The server asked for a sign of life. */
  ping: () => void;
  /** A packet came, for whichever socket. */
  packet: (packet: Packet) => void;
  /** The connection is over: a reason as of `disconnect`, or `forced close`. */
  close: (reason: string, description?: DisconnectDescription) => void;
  /** `reconnectionAttempts` in a row have failed; `connect()` starts anew. */
  reconnect_failed: () => void;
  /** An attempt begins; the first is 1. */
  reconnect_attempt: (attempt: number) => void;
  /** An attempt has failed. */
  reconnect_error: (err: Error) => void;
  /** The connection is open again, at this attempt; sockets are not connected yet. */
  reconnect: (attempt: number) => void;
}

/** An Engine.IO packet. */
export interface EnginePacket {
  type: EnginePacketType | "error";
  data?: any;
  options?: WriteOptions;
}

/** How a message is to be sent. */
export interface WriteOptions {
  /** Whether the transport may compress it. Default: true. */
  compress?: boolean;
}

/** What the server says first. */
export interface HandshakeData {
  sid: string;
  /** Names of transports that the connection may change to. */
  upgrades: string[];
  /** Milliseconds between pings of the server. */
  pingInterval: number;
  /** Milliseconds a ping may be late. */
  pingTimeout: number;
  /** Most bytes of a polling request. */
  maxPayload: number;
}

/** What an engine emits itself. `TransportType` is what it says of transports. */
export interface EngineReservedEvents<TransportType> {
  open: () => void;
  /** Before `open`; `id` is not set yet. */
  handshake: (data: HandshakeData) => void;
  /** Any packet came. */
  packet: (packet: EnginePacket) => void;
  /** A packet is about to be queued. */
  packetCreate: (packet: EnginePacket) => void;
  /** A message came. */
  data: (data: any) => void;
  /** The same, right after `data`. */
  message: (data: any) => void;
  /** Nothing waits to be sent any more. */
  drain: () => void;
  /** A batch was handed to the transport. */
  flush: () => void;
  /** Any packet came: the server is alive. */
  heartbeat: () => void;
  /** The server asked for a sign of life. */
  ping: () => void;
  /** The answer to a ping was queued. */
  pong: () => void;
  error: (err: string | Error) => void;
  /** A better transport works and is about to take over. */
  upgrading: (transport: TransportType) => void;
  /** It has taken over. */
  upgrade: (transport: TransportType) => void;
  /** It does not work, which is no harm. */
  upgradeError: (err: Error) => void;
  close: (reason: string, description?: DisconnectDescription) => void;
}

/** What a transport emits itself, to its engine. */
export interface TransportReservedEvents {
  open: () => void;
  packet: (packet: EnginePacket) => void;
  /** The batch is out; `writable` is true again. */
  drain: () => void;
  error: (err: TransportError) => void;
  close: (details?: CloseDetails) => void;
}
