import type { WritePacket } from "../transports/transport.js";

/** What a polling payload spends on a text packet besides its data: separator and type. */
const PACKET_OVERHEAD = 2;

/**
 * How many packets from the head of the buffer fit one polling payload: at least one, however large it is (spec/client.md
 * 2.5). Sizes are exact, so the server never sees more than it announced unless a single packet is more.
 */
export function countFitting(packets: readonly WritePacket[], maxPayload: number): number {
  // The first packet has no separator.
  let size = -1;
  for (let i = 0; i < packets.length; i++) {
    size += PACKET_OVERHEAD + encodedLength(packets[i]?.data);
    if (i > 0 && size > maxPayload) return i;
  }
  return packets.length;
}

/** Bytes as base64, for which the letter `b` stands in the place of the type. */
function encodedLength(data: unknown): number {
  if (typeof data === "object" && data !== null) {
    return Math.ceil((data as ArrayBufferView).byteLength / 3) * 4;
  }
  return data ? utf8Length(data as string) : 0;
}

/** As many letters as bytes. A surrogate is half of four. */
function utf8Length(text: string): number {
  return text.replace(/[\x80-\u07ff\ud800-\udfff]/g, "xx").replace(/[^\0-\x7f]/g, "xxx").length;
}
