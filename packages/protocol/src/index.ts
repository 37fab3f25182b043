export { type ByteHost, portableByteHost } from "./byte-host.js";
export { DisconnectReason, EngineCloseReason } from "./close-reasons.js";
export { type DecodedListener } from "./decoded-listeners.js";
export { Decoder, type DecoderConstructor } from "./decoder.js";
export { Encoder, type EncoderConstructor, type Replacer } from "./encoder.js";
export { createEngineCodec, type EngineCodec } from "./engine-codec.js";
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
export { type DecoderOptions, PacketDecoder, type PacketDecoderConstructor, type Reviver } from "./packet-decoder.js";
export { isPacketValid } from "./packet-validation.js";
export { createPacketCodec, type PacketCodec } from "./packet-codec.js";
export { decodePayload, encodePayload, PACKET_SEPARATOR } from "./payload.js";
export { portableCodec } from "./portable-codec.js";
export { ProtocolError, type ProtocolErrorCode } from "./protocol-error.js";
export type {
  AllButLast,
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  IfAny,
  Last,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from "./typed-events.js";
