import { hostGlobals } from "./host-globals.js";
import { ProtocolError } from "./protocol-error.js";

const BINARY_BIT = 0x80;
const LARGEST_SHORT_LENGTH = 125;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

function frameHeader(length: number, binaryBit: number): Uint8Array {
  if (length <= LARGEST_SHORT_LENGTH) return Uint8Array.of(binaryBit | length);
  if (length <= 0xffff) return Uint8Array.of(binaryBit | LENGTH_IN_2_BYTES, length >> 8, length & 0xff);
  const header = new Uint8Array(9);
  header[0] = binaryBit | LENGTH_IN_8_BYTES;
  const view = new DataView(header.buffer);
  view.setUint32(1, Math.floor(length / 2 ** 32));
  view.setUint32(5, length >>> 0);
  return header;
}

/**
 * Frames one encoded Engine.IO packet for a WebTransport stream (spec/server.md 1.20): the header, then the payload,
 * to be written one after the other.
 *
 * A binary message without bytes leaves as the text packet `b` (base64 of nothing): a frame of length 0 is illegal, and
 * every decoder turns `b` into the empty message again.
 * @param encoded - what `encodePacket(packet, true)` returned; text is sent as UTF-8
 * @throws ProtocolError `EIO_EMPTY_FRAME` for an empty text, which is no packet
 */
export function encodeFrame(encoded: string | Uint8Array): [header: Uint8Array, payload: Uint8Array] {
  if (typeof encoded !== "string") {
    return encoded.length === 0 ? encodeFrame("b") : [frameHeader(encoded.length, BINARY_BIT), encoded];
  }
  if (encoded === "") throw new ProtocolError("EIO_EMPTY_FRAME");
  const payload = new hostGlobals.TextEncoder().encode(encoded);
  return [frameHeader(payload.length, 0), payload];
}
