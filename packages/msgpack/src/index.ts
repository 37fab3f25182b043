import { PacketType, SOCKET_PROTOCOL } from "@plugboard/protocol";
import { Decoder } from "./decoder.js";
import { Encoder } from "./encoder.js";

/** Version of the Socket.IO protocol whose packets are encoded. */
const protocol: typeof SOCKET_PROTOCOL = SOCKET_PROTOCOL;

/** The parser as one object, for the option `parser` of server and client. */
export interface MsgpackParser {
  readonly Encoder: typeof Encoder;
  readonly Decoder: typeof Decoder;
  readonly PacketType: typeof PacketType;
  readonly protocol: typeof SOCKET_PROTOCOL;
}

const parser: MsgpackParser = { Encoder, Decoder, PacketType, protocol };

export { Decoder, Encoder, PacketType, protocol };
export { parser as default };
export type { DecoderConstructor } from "./decoder.js";
export type { EncoderConstructor } from "./encoder.js";
