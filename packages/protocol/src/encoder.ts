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
    const { type, data } = packet;
    if (!mayCarryBinary(type) || typeof data !== "object" || data === null) {
      return [header(packet, type) + this.#stringify(data)];
    }
    const attachments: object[] = [];
    const json = extractBinary(data, "", attachments, 0);
    if (attachments.length === 0) return [header(packet, plainTwin(type)) + this.#stringify(data)];
    const text = `${binaryTwin(type)}${attachments.length}-${header(packet, "")}${this.#stringify(json)}`;
    return [text, ...(attachments as Uint8Array[])];
  }

  #stringify(data: unknown): string {
    if (data === undefined || data === null) return "";
    // Typed as a string, but functions and some `toJSON` results give undefined.
    return (JSON.stringify(data, this.#replacer as Parameters<typeof JSON.stringify>[1]) as string | undefined) ?? "";
  }
}

function mayCarryBinary(type: PacketType): boolean {
  return type >= PacketType.EVENT && type !== PacketType.CONNECT_ERROR;
}

function plainTwin(type: PacketType): PacketType {
  return type >= PacketType.BINARY_EVENT ? ((type - 3) as PacketType) : type;
}

function binaryTwin(type: PacketType): PacketType {
  return (plainTwin(type) + 3) as PacketType;
}

/** Everything between the attachment count and the JSON, after `type`. */
function header(packet: Packet, type: PacketType | ""): string {
  const { nsp, id } = packet;
  const start = nsp === "/" || !nsp ? "" + type : `${type}${nsp},`;
  return id === undefined || id === null ? start : start + id;
}

export const Encoder: EncoderConstructor = PacketEncoder;
