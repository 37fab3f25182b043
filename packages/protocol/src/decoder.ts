import { isBinary } from "./binary-extraction.js";
import { type DecodedListener, DecodedListeners } from "./decoded-listeners.js";
import { type Packet, PacketType } from "./packet.js";
import { isDataValid } from "./packet-validation.js";
import { PartialPacket } from "./partial-packet.js";
import { ProtocolError } from "./protocol-error.js";

/** The second parameter of `JSON.parse`. */
export type Reviver = (this: unknown, key: string, value: unknown) => unknown;

/** Limits and hooks of a {@link Decoder}. */
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
export interface Decoder {
  /**
   * Takes one chunk: text, or the bytes of an attachment. Returns the packet it completes. Binary packets come with the
   * type of their plain twin.
   * @throws ProtocolError one of the `SIO_*` codes, its message that of the reference parser
   */
  decode(chunk: unknown): Packet | undefined;
  /** As `decode`, but the packet goes to the listeners of `decoded`. */
  add(chunk: unknown): void;
  /** Drops an incomplete packet; the decoder stays usable. */
  destroy(): void;
  on(event: "decoded", listener: DecodedListener): this;
  once(event: "decoded", listener: DecodedListener): this;
  /** Without a listener, removes all of them. */
  off(event?: "decoded", listener?: DecodedListener): this;
  removeListener(event?: "decoded", listener?: DecodedListener): this;
}

/** Constructor of {@link Decoder}. */
export interface DecoderConstructor {
  /** @param options - limits, or just a reviver for `JSON.parse` */
  new (options?: DecoderOptions | Reviver): Decoder;
}

const DEFAULT_MAX_ATTACHMENTS = 10;
const DEFAULT_MAX_PARTIAL_BYTES = 1e8;

const ZERO = 48;
const DASH = 45;
const SLASH = 47;

/** -1 when the character at `index` is no decimal digit, or the text is over. */
function digitAt(text: string, index: number): number {
  const digit = text.charCodeAt(index) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

class PacketDecoder implements Decoder {
  readonly #reviver: Reviver | undefined;
  readonly #maxAttachments: number;
  readonly #maxPartialBytes: number;
  readonly #listeners: DecodedListeners = new DecodedListeners();
  #partial: PartialPacket | undefined = undefined;

  constructor(options?: DecoderOptions | Reviver) {
    const settings: DecoderOptions = typeof options === "function" ? { reviver: options } : (options ?? {});
    this.#reviver = settings.reviver;
    this.#maxAttachments = settings.maxAttachments ?? DEFAULT_MAX_ATTACHMENTS;
    this.#maxPartialBytes = settings.maxPartialBytes ?? DEFAULT_MAX_PARTIAL_BYTES;
  }

  add(chunk: unknown): void {
    const packet = this.decode(chunk);
    if (packet !== undefined) this.#listeners.emit(packet);
  }

  decode(chunk: unknown): Packet | undefined {
    if (this.#partial !== undefined) return this.#continue(chunk, this.#partial);
    if (typeof chunk === "string") return this.#decodeText(chunk);
    throw isAttachment(chunk) ? new ProtocolError("SIO_UNEXPECTED_BINARY") : unknownChunk(chunk);
  }

  /** The partial packet is put back only when all went well, so that no error leaves half a packet behind. */
  #continue(chunk: unknown, partial: PartialPacket): Packet | undefined {
    this.#partial = undefined;
    if (typeof chunk === "string") throw new ProtocolError("SIO_UNEXPECTED_TEXT");
    if (!isAttachment(chunk)) throw unknownChunk(chunk);
    const packet = partial.add(chunk);
    if (packet === undefined) this.#partial = partial;
    return packet;
  }

  #decodeText(text: string): Packet | undefined {
    const type = text.charCodeAt(0) - ZERO;
    if (!(type >= PacketType.CONNECT && type <= PacketType.BINARY_ACK)) throw unknownType(text);
    if (type >= PacketType.BINARY_EVENT) return this.#decodeBinaryHeader(text, type as PacketType);
    return this.#decodeRest(text, 1, type as PacketType, type as PacketType);
  }

  #decodeBinaryHeader(text: string, type: PacketType): undefined {
    let count = 0;
    let index = 1;
    for (let digit = digitAt(text, index); digit >= 0; digit = digitAt(text, ++index)) count = count * 10 + digit;
    if (count < 1 || text.charCodeAt(index) !== DASH) throw new ProtocolError("SIO_ILLEGAL_ATTACHMENT_COUNT");
    if (count > this.#maxAttachments) throw new ProtocolError("SIO_TOO_MANY_ATTACHMENTS");
    const packet = this.#decodeRest(text, index + 1, type, (type - 3) as PacketType);
    this.#partial = new PartialPacket(packet, count, this.#maxPartialBytes, text.length);
  }

  /** Namespace, ack id and payload, from `index` on. */
  #decodeRest(text: string, index: number, type: PacketType, plainType: PacketType): Packet {
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
    if (id > Number.MAX_SAFE_INTEGER) throw new ProtocolError("SIO_INVALID_PAYLOAD");
    if (index >= text.length) return hasId ? { type: plainType, nsp, id } : { type: plainType, nsp };
    const data = this.#parse(text.slice(index));
    if (!isDataValid(type, data)) throw new ProtocolError("SIO_INVALID_PAYLOAD");
    return hasId ? { type: plainType, nsp, id, data } : { type: plainType, nsp, data };
  }

  #parse(json: string): unknown {
    try {
      return JSON.parse(json, this.#reviver);
    } catch (cause) {
      throw new ProtocolError("SIO_INVALID_PAYLOAD", "", { cause });
    }
  }

  destroy(): void {
    this.#partial = undefined;
  }

  on(event: "decoded", listener: DecodedListener): this {
    // Untyped callers may name any event: a decoder just never emits the others.
    if (event === "decoded") this.#listeners.add(listener, false);
    return this;
  }

  once(event: "decoded", listener: DecodedListener): this {
    if (event === "decoded") this.#listeners.add(listener, true);
    return this;
  }

  off(event: "decoded" = "decoded", listener?: DecodedListener): this {
    if (event === "decoded") this.#listeners.remove(listener);
    return this;
  }

  removeListener(event?: "decoded", listener?: DecodedListener): this {
    return this.off(event, listener);
  }
}

function isAttachment(chunk: unknown): chunk is object {
  return typeof chunk === "object" && chunk !== null && isBinary(chunk);
}

/** The text counts a letter as NaN, as the reference does. */
function unknownType(text: string): ProtocolError {
  const digit = digitAt(text, 0);
  return new ProtocolError("SIO_UNKNOWN_PACKET_TYPE", digit < 0 ? "NaN" : String(digit));
}

function unknownChunk(chunk: unknown): ProtocolError {
  const isObject = typeof chunk === "object" && chunk !== null;
  // Not String() for objects: theirs may throw.
  return new ProtocolError("SIO_UNKNOWN_CHUNK_TYPE", isObject ? Object.prototype.toString.call(chunk) : String(chunk));
}

export const Decoder: DecoderConstructor = PacketDecoder;
