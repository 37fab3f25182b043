/**
 * What is wrong with Socket.IO packets, by code. The texts of decoding errors are those of the Socket.IO 5 reference
 * parser (spec/server.md 2.4): programs match on them, so they never change. A text that ends in a space is completed by
 * what was found.
 */
const PACKET_ERROR_MESSAGES = {
  /** The first character of a packet is not a digit from 0 to 6. */
  SIO_UNKNOWN_PACKET_TYPE: "unknown packet type ",
  /** A binary packet without `<count>-`, or with a count below 1. */
  SIO_ILLEGAL_ATTACHMENT_COUNT: "Illegal attachments",
  /** A binary packet announces more than `maxAttachments`. */
  SIO_TOO_MANY_ATTACHMENTS: "too many attachments",
  /** Not JSON, data that does not fit the packet type, or an ack id beyond the safe integers. */
  SIO_INVALID_PAYLOAD: "invalid payload",
  /** Text arrived while attachments were outstanding. */
  SIO_UNEXPECTED_TEXT: "got plaintext data when reconstructing a packet",
  /** Bytes arrived while no attachment was outstanding. */
  SIO_UNEXPECTED_BINARY: "got binary data when not reconstructing a packet",
  /** A placeholder whose `num` names no attachment of its packet. */
  SIO_ILLEGAL_PLACEHOLDER: "illegal attachments",
  /** A chunk that is neither text nor bytes. */
  SIO_UNKNOWN_CHUNK_TYPE: "Unknown type: ",
  /** A binary packet grew beyond `maxPartialBytes` (a limit of ours). */
  SIO_PARTIAL_PACKET_TOO_LARGE: "too many bytes in attachments",
  /** Data to encode refers to itself or is nested beyond `MAX_DATA_DEPTH` (a limit of ours). */
  SIO_DATA_TOO_DEEP: "packet data is circular or nested too deeply",
} as const;

/** What is wrong with WebTransport frames, by code; apart, because only who has that transport needs it. */
const FRAME_ERROR_MESSAGES = {
  /** A frame without payload. */
  EIO_EMPTY_FRAME: "frame without payload",
  /** A frame that announces more than `maxPayloadBytes`. */
  EIO_FRAME_TOO_LARGE: "frame exceeds the maximum payload",
  /** A frame whose payload is no UTF-8 text or no packet. */
  EIO_INVALID_PACKET: "parser error",
} as const;

/** Every error this package throws or records, by code. */
export const PROTOCOL_ERROR_MESSAGES: typeof PACKET_ERROR_MESSAGES & typeof FRAME_ERROR_MESSAGES = {
  ...PACKET_ERROR_MESSAGES,
  ...FRAME_ERROR_MESSAGES,
};

/** Names one row of {@link PROTOCOL_ERROR_MESSAGES}. */
export type ProtocolErrorCode = keyof typeof PROTOCOL_ERROR_MESSAGES;

/** Names what is wrong with a frame. */
export type FrameErrorCode = keyof typeof FRAME_ERROR_MESSAGES;

/**
 * What the codecs of this package throw: input that breaks the protocol, or data that cannot be sent.
 * `message` is the text of the reference parser where it has one; `code` is ours and tells apart what texts do not.
 */
export class ProtocolError extends Error {
  /** Stable name of the rule that was broken. */
  readonly code: ProtocolErrorCode;

  /**
   * @param code - the rule that was broken
   * @param detail - completes texts that end in a space, such as `unknown packet type `, and is all the text of a frame error
   * @param options - `cause`: the error underneath, for instance that of `JSON.parse`
   */
  constructor(code: ProtocolErrorCode, detail = "", options?: { cause?: unknown }) {
    super(((PACKET_ERROR_MESSAGES as Partial<Record<ProtocolErrorCode, string>>)[code] ?? "") + detail, options);
    this.name = "ProtocolError";
    this.code = code;
  }
}

/** What is wrong with a frame, as an error. */
export function frameError(code: FrameErrorCode): ProtocolError {
  return new ProtocolError(code, FRAME_ERROR_MESSAGES[code]);
}
