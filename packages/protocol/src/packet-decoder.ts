import { isBinary, isObject } from "./binary-extraction.js";
import { restoreBinary } from "./binary-restoration.js";
import { BINARY_OFFSET, type Packet, PacketType } from "./packet.js";
import { isDataValid } from "./packet-validation.js";
import { ProtocolError } from "./protocol-error.js";

/** The second parameter of `JSON.parse`. */
export type Reviver = (this: unknown, key: string, value: unknown) => unknown;

/** Limits and hooks of a decoder. */
export interface DecoderOptions {
  /** Handed to `JSON.parse`. It runs before attachments are put in place. Default: none. */
  readonly reviver?: Reviver | undefined;
  /** Most attachments one packet may announce. Default: 10. */
  readonly maxAttachments?: number | undefined;
  /**
   * Most bytes one binary packet may hold while it is incomplete: the length of its text plus its attachments. Default:
   * 100,000,000. A server that allows messages of n bytes hands in `(maxAttachments + 1) * n`, which refuses nothing
   * that its transports let through.
   */
  readonly maxPartialBytes?: number | undefined;
}

/**
 * Turns chunks into packets (spec/server.md 2.4). Keeps at most one incomplete binary packet; after an error it keeps
 * nothing and can go on. Linear in its input.
 */
export interface PacketDecoder {
  /**
   * Takes one chunk: text, or the bytes of an attachment. Returns the packet it completes. Binary packets come with the
   * type of their plain twin.
   * @throws ProtocolError one of the `SIO_*` codes, its message that of the reference parser
   */
  decode(chunk: unknown): Packet | undefined;
  /** Drops an incomplete packet; the decoder stays usable. */
  destroy(): void;
}

/** Constructor of {@link PacketDecoder}. */
export interface PacketDecoderConstructor {
  /** The parameters are those of {@link DecoderOptions}: without their names, which minifiers cannot shorten. */
  new (maxAttachments?: number, maxPartialBytes?: number, reviver?: Reviver): PacketDecoder;
}

const DEFAULT_MAX_ATTACHMENTS = 10;
const DEFAULT_MAX_PARTIAL_BYTES = 1e8;

const ZERO = 48;
const DASH = 45;
const SLASH = 47;

/** A binary packet whose attachments are still arriving. */
interface PartialPacket {
  readonly packet: Packet;
  /** How many attachments it has when it is whole. */
  readonly count: number;
  readonly attachments: object[];
  /** What it takes so far, its text included. */
  bytes: number;
}

class ChunkDecoder implements PacketDecoder {
  readonly #reviver: Reviver | undefined;
  readonly #maxAttachments: number;
  readonly #maxPartialBytes: number;
  #partial: PartialPacket | undefined = undefined;

  constructor(
    maxAttachments: number = DEFAULT_MAX_ATTACHMENTS,
    maxPartialBytes: number = DEFAULT_MAX_PARTIAL_BYTES,
    reviver?: Reviver,
  ) {
    this.#reviver = reviver;
    this.#maxAttachments = maxAttachments;
    this.#maxPartialBytes = maxPartialBytes;
  }

  decode(chunk: unknown): Packet | undefined {
    // Put back only when all went well, so that no error leaves half a packet behind.
    const partial = this.#partial;
    this.#partial = undefined;
    if (typeof chunk === "string") {
      if (partial) throw new ProtocolError("SIO_UNEXPECTED_TEXT", "got plaintext data when reconstructing a packet");
      return this.#decodeText(chunk);
    }
    if (!isObject(chunk) || !isBinary(chunk)) {
      // Not String() for objects: theirs may throw.
      const what = isObject(chunk) ? Object.prototype.toString.call(chunk) : String(chunk);
      throw new ProtocolError("SIO_UNKNOWN_CHUNK_TYPE", "Unknown type: " + what);
    }
    if (!partial) throw new ProtocolError("SIO_UNEXPECTED_BINARY", "got binary data when not reconstructing a packet");
    return this.#attach(chunk, partial);
  }

  #attach(attachment: object, partial: PartialPacket): Packet | undefined {
    const { packet, attachments, count } = partial;
    // Buffers and views have a `byteLength`, Blobs a `size`.
    const { byteLength, size } = attachment as { byteLength?: number; size: number };
    partial.bytes += byteLength ?? size;
    if (partial.bytes > this.#maxPartialBytes)
      throw new ProtocolError("SIO_PARTIAL_PACKET_TOO_LARGE", "too many bytes in attachments");
    if (attachments.push(attachment) < count) {
      this.#partial = partial;
      return undefined;
    }
    if (packet.data) restoreBinary(packet.data, attachments);
    return packet;
  }

  #decodeText(text: string): Packet | undefined {
    let type = digitAt(text, 0);
    let index = 1;
    let count = 0;
    if (type < 0 || type > PacketType.BINARY_ACK) {
      // The text counts a letter as NaN, as the reference does.
      throw new ProtocolError("SIO_UNKNOWN_PACKET_TYPE", "unknown packet type " + (type < 0 ? NaN : type));
    }
    if (type >= PacketType.BINARY_EVENT) {
      type -= BINARY_OFFSET;
      for (let digit = digitAt(text, index); digit >= 0; digit = digitAt(text, ++index)) count = count * 10 + digit;
      if (count < 1 || text.charCodeAt(index++) !== DASH)
        throw new ProtocolError("SIO_ILLEGAL_ATTACHMENT_COUNT", "Illegal attachments");
      if (count > this.#maxAttachments) throw new ProtocolError("SIO_TOO_MANY_ATTACHMENTS", "too many attachments");
    }
    const packet = this.#decodeRest(text, index, type as PacketType);
    if (count === 0) return packet;
    this.#partial = { packet, count, attachments: [], bytes: text.length };
    return undefined;
  }

  /** Namespace, ack id and payload, from `index` on. */
  #decodeRest(text: string, index: number, type: PacketType): Packet {
    let nsp = "/";
    if (text.charCodeAt(index) === SLASH) {
      const comma = text.indexOf(",", index);
      const end = comma < 0 ? text.length : comma;
      nsp = text.slice(index, end);
      index = end + 1;
    }
    const idStart = index;
    let id = 0;
    for (let digit = digitAt(text, index); digit >= 0; digit = digitAt(text, ++index)) id = id * 10 + digit;
    const hasId = index > idStart;
    if (id > Number.MAX_SAFE_INTEGER) throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload");
    if (index >= text.length) return hasId ? { type, nsp, id } : { type, nsp };
    let data: unknown;
    try {
      data = JSON.parse(text.slice(index), this.#reviver);
    } catch (cause) {
      throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload", { cause });
    }
    if (!isDataValid(type, data)) throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload");
    return hasId ? { type, nsp, id, data } : { type, nsp, data };
  }

  destroy(): void {
    this.#partial = undefined;
  }
}

/** -1 when the character at `index` is no decimal digit, or the text is over. */
function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

export const PacketDecoder: PacketDecoderConstructor = ChunkDecoder;
