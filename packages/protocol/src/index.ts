export { type ByteHost, portableByteHost } from "./byte-host.js";
export { DisconnectReason, EngineCloseReason } from "./close-reasons.js";
export { type DecodedListener } from "./decoded-listeners.js";
export { Decoder, type DecoderConstructor, type DecoderOptions, type Reviver } from "./decoder.js";
export { Encoder, type EncoderConstructor, type Replacer } from "./encoder.js";
export { createEngineCodec, type EngineCodec, PACKET_SEPARATOR } from "./engine-codec.js";
export { ENGINE_ERROR_MESSAGES, EngineErrorCode, type EngineErrorMessage } from "./engine-errors.js";
export {
  ENGINE_PACKET_TYPES,
  ENGINE_PROTOCOL,
  type EnginePacket,
  type EnginePacketType,
  type OutgoingEnginePacket,
} from "./engine-packet.js";
export { FrameDecoder, type FrameDecoderConstructor } from "./frame-decoder.js";
export { encodeFrame } from "./frame-encoder.js";
export { type Packet, PacketType, RESERVED_EVENTS, SOCKET_PROTOCOL } from "./packet.js";
export { isPacketValid } from "./packet-validation.js";
export { PROTOCOL_ERROR_MESSAGES, ProtocolError, type ProtocolErrorCode } from "./protocol-error.js";
