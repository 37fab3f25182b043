import { extractBinary } from "./binary-extraction.js";
import { type Packet, PacketType } from "./packet.js";

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
    const data = packet.data;
    const type = plainTwin(packet.type);
    if ((type === PacketType.EVENT || type === PacketType.ACK) && typeof data === "object" && data !== null) {
      const attachments: object[] = [];
      const json = extractBinary(data, "", attachments, 0);
      if (attachments.length > 0) return this.#encodeBinary(packet, type, json, attachments);
    }
    return [header(packet, "" + type) + this.#stringify(data)];
  }

  #encodeBinary(packet: Packet, type: PacketType, json: unknown, attachments: object[]): Array<string | Uint8Array> {
    const start = `${type + BINARY_OFFSET}${attachments.length}-`;
    return [header(packet, start) + this.#stringify(json), ...(attachments as Uint8Array[])];
  }

  #stringify(data: unknown): string {
    if (data === undefined || data === null) return "";
    // Typed as a string, but functions and some `toJSON` results give undefined.
    return (JSON.stringify(data, this.#replacer as Parameters<typeof JSON.stringify>[1]) as string | undefined) ?? "";
  }
}

/** From a type to its binary twin. */
const BINARY_OFFSET = PacketType.BINARY_EVENT - PacketType.EVENT;

/** Whether a packet is binary follows from its data, not from what the caller says. */
function plainTwin(type: PacketType): PacketType {
  return type >= PacketType.BINARY_EVENT ? ((type - BINARY_OFFSET) as PacketType) : type;
}

/** Everything before the JSON. A missing namespace (untyped callers) is the main one. */
function header(packet: Packet, start: string): string {
  const { nsp, id } = packet;
  const addressed = nsp === "/" || !nsp ? start : start + nsp + ",";
  return id === undefined || id === null ? addressed : addressed + id;
}

export const Encoder: EncoderConstructor = PacketEncoder;
