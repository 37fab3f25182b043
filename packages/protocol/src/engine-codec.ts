import { type ByteHost, portableByteHost } from "./byte-host.js";
import { bytesOf, isBytes } from "./bytes.js";
import {
  ENGINE_PACKET_TYPES,
  type EnginePacket,
  type EnginePacketType,
  type OutgoingEnginePacket,
} from "./engine-packet.js";

/** What separates the packets of a polling payload; data cannot escape it (spec/server.md 1.7). */
export const PACKET_SEPARATOR = "\x1e";

const BASE64_MARK = 98; // "b"
const ZERO = 48;

const DIGIT_OF_TYPE: Readonly<Record<EnginePacketType, string>> = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6",
};

/** The Engine.IO 4 codec: packets and polling payloads (spec/server.md 1.7). Stateless; never changes what it is given. */
export interface EngineCodec {
  /**
   * Text packets become their type digit and data. Bytes stay bytes without a type when `supportsBinary`, and become
   * `b` + base64 when not. Views other than Uint8Array are seen as bytes without copying.
   */
  encodePacket(packet: OutgoingEnginePacket, supportsBinary: boolean): string | Uint8Array;
  /** Never throws: what is no packet gives `{ type: "error", data: "parser error" }`. Bytes are always a message. */
  decodePacket(encoded: string | Uint8Array | ArrayBuffer): EnginePacket;
  /** Joins the packets with `\x1e`, bytes as base64. Packets appended to the array meanwhile are not included. */
  encodePayload(packets: readonly OutgoingEnginePacket[]): string;
  /**
   * Stops after the first error packet, which is included; an empty text is an error.
   * @param maxPackets - one packet more is an error. Default: no limit but the text itself, since each packet takes at
   *   least two characters of it; whoever receives the text bounds its length.
   */
  decodePayload(text: string, maxPackets?: number): EnginePacket[];
}

/**
 * Makes the Engine.IO codec of a host.
 * @param host - base64 of that host. Default: {@link portableByteHost}
 */
export function createEngineCodec(host: ByteHost = portableByteHost): EngineCodec {
  function encodePacket(packet: OutgoingEnginePacket, supportsBinary: boolean): string | Uint8Array {
    const data = packet.data;
    if (typeof data === "object" && data !== null && isBytes(data)) {
      return supportsBinary ? bytesOf(data) : "b" + host.encodeBase64(bytesOf(data));
    }
    // `||`, not `??`: the reference sends any falsy data, such as a numeric 0 of untyped callers, as nothing.
    return DIGIT_OF_TYPE[packet.type] + (data || "");
  }

  function decodePacket(encoded: string | Uint8Array | ArrayBuffer): EnginePacket {
    if (typeof encoded !== "string") return { type: "message", data: bytesOf(encoded) };
    const mark = encoded.charCodeAt(0);
    if (mark === BASE64_MARK) return { type: "message", data: host.decodeBase64(encoded.slice(1)) };
    const type = ENGINE_PACKET_TYPES[mark - ZERO];
    if (type === undefined) return { type: "error", data: "parser error" };
    return encoded.length === 1 ? { type } : { type, data: encoded.slice(1) };
  }

  function encodePayload(packets: readonly OutgoingEnginePacket[]): string {
    const count = packets.length;
    let text = "";
    for (let i = 0; i < count; i++) {
      if (i > 0) text += PACKET_SEPARATOR;
      text += encodePacket(packets[i] as OutgoingEnginePacket, false) as string;
    }
    return text;
  }

  function decodePayload(text: string, maxPackets = Infinity): EnginePacket[] {
    const packets: EnginePacket[] = [];
    let start = 0;
    while (start <= text.length) {
      const found = text.indexOf(PACKET_SEPARATOR, start);
      const end = found < 0 ? text.length : found;
      const packet = packets.length < maxPackets ? decodePacket(text.slice(start, end)) : decodePacket("");
      packets.push(packet);
      if (packet.type === "error") break;
      start = end + 1;
    }
    return packets;
  }

  return { encodePacket, decodePacket, encodePayload, decodePayload };
}
