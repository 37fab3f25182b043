/** Names what is wrong, for programs to tell errors apart. */
export type ProtocolErrorCode =
  /** The first character of a packet is not a digit from 0 to 6. */
  | "SIO_UNKNOWN_PACKET_TYPE"
  /** A binary packet without `<count>-`, or with a count below 1. */
  | "SIO_ILLEGAL_ATTACHMENT_COUNT"
  /** A binary packet announces more than `maxAttachments`. */
  | "SIO_TOO_MANY_ATTACHMENTS"
  /** Not JSON, data that does not fit the packet type, or an ack id beyond the safe integers. */
  | "SIO_INVALID_PAYLOAD"
  /** Text arrived while attachments were outstanding. */
  | "SIO_UNEXPECTED_TEXT"
  /** Bytes arrived while no attachment was outstanding. */
  | "SIO_UNEXPECTED_BINARY"
  /** A placeholder whose `num` names no attachment of its packet. */
  | "SIO_ILLEGAL_PLACEHOLDER"
  /** A chunk that is neither text nor bytes. */
  | "SIO_UNKNOWN_CHUNK_TYPE"
  /** A binary packet grew beyond `maxPartialBytes` (a limit of ours). */
  | "SIO_PARTIAL_PACKET_TOO_LARGE"
  /** Data to encode refers to itself or is nested beyond `MAX_DATA_DEPTH` (a limit of ours). */
  | "SIO_DATA_TOO_DEEP"
  /** A WebTransport frame without payload. */
  | "EIO_EMPTY_FRAME"
  /** A frame that announces more than `maxPayloadBytes`. */
  | "EIO_FRAME_TOO_LARGE"
  /** A frame whose payload is no UTF-8 text or no packet. */
  | "EIO_INVALID_PACKET";

/**
 * What the codecs of this package throw: input that breaks the protocol, or data that cannot be sent.
 *
 * `message` is the text of the Socket.IO 5 reference parser where it has one (spec/server.md 2.4): programs match on those,
 * so they never change. `code` is ours and tells apart what texts do not.
 */
export class ProtocolError extends Error {
  /** Stable name of the rule that was broken. */
  readonly code: ProtocolErrorCode;

  /**
   * @param code - the rule that was broken
   * @param message - what is wrong
   * @param options - `cause`: the error underneath, for instance that of `JSON.parse`
   */
  constructor(code: ProtocolErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ProtocolError";
    this.code = code;
  }
}
