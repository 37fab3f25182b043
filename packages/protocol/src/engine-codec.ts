import type { ByteHost } from "./byte-host.js";
import type { EnginePacket, OutgoingEnginePacket } from "./engine-packet.js";
import { createPacketCodec, type PacketCodec } from "./packet-codec.js";
import { decodePayload, encodePayload } from "./payload.js";

/** The Engine.IO 4 codec: packets and polling payloads (spec/server.md 1.7). Stateless; never changes what it is given. */
export interface EngineCodec extends PacketCodec {
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
export function createEngineCodec(host: ByteHost): EngineCodec {
  const codec = createPacketCodec(host);
  return {
    ...codec,
    encodePayload: (packets) => encodePayload(codec, packets),
    decodePayload: (text, maxPackets) => decodePayload(codec, text, maxPackets),
  };
}
