import { type Attachments, extractBinary, isObject } from "./binary-extraction.js";
import { BINARY_OFFSET, type Packet, PacketType } from "./packet.js";

/** The second parameter of `JSON.stringify` in its function form. */
export type Replacer = (this: unknown, key: string, value: unknown) => unknown;

/** Turns packets into chunks, each of which travels as one Engine.IO message (spec/server.md 2.3). Stateless. */
export interface Encoder {
  /**
   * Returns the text of the packet, followed by its attachments. The packet and its data are never changed.
   *
   * Events and acks are searched for binary values (buffers, views, Blobs) and become binary packets by themselves.
   * Attachments are passed on as they were found, so any view or ArrayBuffer may come where the type says Uint8Array:
   * the Engine.IO codec takes them all. Blobs must be resolved before, by whoever sends.
   * @throws ProtocolError `SIO_DATA_TOO_DEEP` for data that is circular or nested deeper than 2,000 levels
   * @throws TypeError for data JSON cannot express, such as a BigInt; and whatever a `toJSON` or the replacer throws
   */
  encode(packet: Packet): Array<string | Uint8Array>;
}

/** Constructor of {@link Encoder}. */
export interface EncoderConstructor {
  /** @param replacer - handed to `JSON.stringify`; it sees placeholders where binary values were */
  new (replacer?: Replacer): Encoder;
}

class PacketEncoder implements Encoder {
  readonly #replacer: Replacer | undefined;

  constructor(replacer?: Replacer) {
    this.#replacer = replacer;
  }

  encode(packet: Packet): Array<string | Uint8Array> {
    const { nsp, id } = packet;
    let { type, data } = packet;
    // Whether a packet is binary follows from its data, not from what the caller says.
    if (type >= PacketType.BINARY_EVENT) type = (type - BINARY_OFFSET) as PacketType;
    const attachments: Attachments = { places: undefined };
    if ((type === PacketType.EVENT || type === PacketType.ACK) && isObject(data)) {
      data = extractBinary(data, "", attachments, 0);
    }
    const { places } = attachments;
    let text = places ? `${type + BINARY_OFFSET}${places.size}-` : "" + type;
    // A missing namespace (untyped callers) is the main one.
    if (nsp && nsp !== "/") text += nsp + ",";
    if (id !== undefined && id !== null) text += id;
    if (data !== undefined && data !== null) {
      // Typed as a string, but functions and some `toJSON` results give undefined.
      text +=
        (JSON.stringify(data, this.#replacer as Parameters<typeof JSON.stringify>[1]) as string | undefined) ?? "";
    }
    return places ? [text, ...(places.keys() as Iterable<Uint8Array>)] : [text];
  }
}

export const Encoder: EncoderConstructor = PacketEncoder;
