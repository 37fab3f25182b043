import type { EnginePacket, OutgoingEnginePacket } from "./engine-packet.js";
import type { PacketCodec } from "./packet-codec.js";

/** What separates the packets of a polling payload; data cannot escape it (spec/server.md 1.7). */
export const PACKET_SEPARATOR = "\x1e";

/** Joins the packets with `\x1e`, bytes as base64. Packets appended to the array meanwhile are not included. */
export function encodePayload({ encodePacket }: PacketCodec, packets: readonly OutgoingEnginePacket[]): string {
  return packets.map((packet) => encodePacket(packet, false)).join(PACKET_SEPARATOR);
}

/**
 * Stops after the first error packet, which is included; an empty text is an error.
 * @param maxPackets - one packet more is an error. Default: no limit but the text itself, since each packet takes at
 *   least two characters of it; whoever receives the text bounds its length.
 */
export function decodePayload(
  { decodePacket }: PacketCodec,
  text: string,
  maxPackets: number = Infinity,
): EnginePacket[] {
  const packets: EnginePacket[] = [];
  for (let start = 0, end = 0; end >= 0; start = end + 1) {
    end = text.indexOf(PACKET_SEPARATOR, start);
    const packet = decodePacket(packets.length < maxPackets ? text.slice(start, end < 0 ? undefined : end) : "");
    packets.push(packet);
    if (packet.type === "error") break;
  }
  return packets;
}
