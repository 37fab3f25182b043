import { type Packet, PacketType, RESERVED_EVENTS } from "./packet.js";

/** Whether `data` is what a packet of this type carries (spec/server.md 2.4). Binary types carry nothing: see their plain twins. */
export function isDataValid(type: PacketType, data: unknown): boolean {
  switch (type) {
    case PacketType.EVENT:
      return Array.isArray(data) && isEventName(data[0]);
    case PacketType.ACK:
      return Array.isArray(data);
    case PacketType.CONNECT:
      return data === undefined || isPlainObject(data);
    case PacketType.DISCONNECT:
      return data === undefined;
    case PacketType.CONNECT_ERROR:
      return typeof data === "string" || isPlainObject(data);
    default:
      return false;
  }
}

/**
 * Whether a decoded packet has the shape a receiver may rely on: a namespace, an integer id or none, and data that fits
 * its type. Binary types are refused: they exist on the wire only. For packets that come from elsewhere than
 * our decoder, such as a custom parser.
 */
export function isPacketValid(packet: Packet): boolean {
  return (
    typeof packet.nsp === "string" &&
    (packet.id === undefined || Number.isInteger(packet.id)) &&
    isDataValid(packet.type, packet.data)
  );
}

function isEventName(name: unknown): boolean {
  // JSON reads 1e999 as Infinity and writes that as null: whoever sent such an event on would cut off its receivers.
  return typeof name === "string" ? !RESERVED_EVENTS.has(name) : Number.isFinite(name);
}

function isPlainObject(data: unknown): boolean {
  return Object.prototype.toString.call(data) === "[object Object]";
}
