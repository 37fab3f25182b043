import { BINARY_BIT, lengthBytes, lengthMark } from "./frame-length.js";
import { hostGlobals } from "./host-globals.js";
import { ProtocolError } from "./protocol-error.js";

function frameHeader(length: number, binaryBit: number): Uint8Array {
  const mark = lengthMark(length);
  const header = new Uint8Array(1 + lengthBytes(mark));
  header[0] = binaryBit | mark;
  // What is stored is the lowest byte.
  for (let i = header.length, rest = length; --i > 0; rest = Math.floor(rest / 256)) header[i] = rest;
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
  if (!encoded) throw new ProtocolError("EIO_EMPTY_FRAME", "parser error");
  const payload = new hostGlobals.TextEncoder().encode(encoded);
  return [frameHeader(payload.length, 0), payload];
}
