import { Decoder, Encoder } from "@plugboard/protocol";
import type { PacketParser } from "./parts.js";

/** The parser of protocol 5. Its decoder is called directly, without the `decoded` event that others announce packets with. */
export const DEFAULT_PARSER: PacketParser = { Encoder, Decoder };

const MAX_ATTACHMENTS = 10;

/** Limits of the default decoder for connections whose messages have at most `maxMessageBytes`. */
export function defaultDecoder(maxMessageBytes: number): InstanceType<PacketParser["Decoder"]> {
  return new Decoder({ maxAttachments: MAX_ATTACHMENTS, maxPartialBytes: (MAX_ATTACHMENTS + 1) * maxMessageBytes });
}
