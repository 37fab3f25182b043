import type { ByteHost } from "./byte-host.js";
import { bytesOf, isBytes } from "./bytes.js";
import { ENGINE_PACKET_TYPES, type EnginePacket, type OutgoingEnginePacket } from "./engine-packet.js";

const BASE64_MARK = 98; // "b"
const ZERO = 48;

/** One Engine.IO 4 packet, encoded and decoded (spec/server.md 1.7). Stateless; never changes what it is given. */
export interface PacketCodec {
  /**
   * Text packets become their type digit and data. Bytes stay bytes without a type when `supportsBinary`, and become
   * `b` + base64 when not. Views other than Uint8Array are seen as bytes without copying.
   */
  encodePacket(packet: OutgoingEnginePacket, supportsBinary: boolean): string | Uint8Array;
  /** Never throws: what is no packet gives `{ type: "error", data: "parser error" }`. Bytes are always a message. */
  decodePacket(encoded: string | Uint8Array | ArrayBuffer): EnginePacket;
}

/**
 * Makes the codec of single packets.
 * @param host - base64 of the host
 */
export function createPacketCodec(host: ByteHost): PacketCodec {
  return {
    encodePacket({ type, data }, supportsBinary) {
      if (typeof data === "object" && data !== null && isBytes(data)) {
        return supportsBinary ? bytesOf(data) : "b" + host.encodeBase64(bytesOf(data));
      }
      // `||`, not `??`: the reference sends any falsy data, such as a numeric 0 of untyped callers, as nothing.
      return `${ENGINE_PACKET_TYPES.indexOf(type)}${(data as string) || ""}`;
    },

    decodePacket(encoded) {
      if (typeof encoded !== "string") return { type: "message", data: bytesOf(encoded) };
      const mark = encoded.charCodeAt(0);
      if (mark === BASE64_MARK) return { type: "message", data: host.decodeBase64(encoded.slice(1)) };
      const type = ENGINE_PACKET_TYPES[mark - ZERO];
      if (type === undefined) return { type: "error", data: "parser error" };
      return encoded.length === 1 ? { type } : { type, data: encoded.slice(1) };
    },
  };
}
