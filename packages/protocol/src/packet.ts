/** Version of the Socket.IO protocol this package speaks. */
export const SOCKET_PROTOCOL = 5;

/** The seven packet types of Socket.IO 5, by their digit on the wire (spec/server.md 2.1). */
export const PacketType = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  ACK: 3,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
  BINARY_ACK: 6,
} as const;

/** Digit of a packet type on the wire. */
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** From a type to its binary twin. */
export const BINARY_OFFSET: number = PacketType.BINARY_EVENT - PacketType.EVENT;

/** One Socket.IO packet, as the encoder takes it and the decoder gives it. */
export interface Packet {
  type: PacketType;
  /** Name of the namespace, from its slash on. */
  nsp: string;
  /** What belongs to the type: `[event, ...args]`, the arguments of an ack, auth data, an error. */
  data?: unknown;
  /** Joins an event and its ack: a safe integer from 0 up. */
  id?: number;
  /** Number of attachments; only on the wire: decoded packets never carry it and the encoder counts by itself. */
  attachments?: number;
}

/** Event names no user may send: they are what sockets and emitters themselves announce. */
export const RESERVED_EVENTS: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);
