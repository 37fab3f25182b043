import { restoreBinary } from "./binary-restoration.js";
import type { Packet } from "./packet.js";
import { ProtocolError } from "./protocol-error.js";

/** A binary packet whose attachments are still arriving. */
export class PartialPacket {
  readonly #packet: Packet;
  readonly #expected: number;
  readonly #maxBytes: number;
  readonly #attachments: object[] = [];
  #bytes: number;

  /** @param bytes - what the packet takes before its first attachment */
  constructor(packet: Packet, expected: number, maxBytes: number, bytes: number) {
    this.#packet = packet;
    this.#expected = expected;
    this.#maxBytes = maxBytes;
    this.#bytes = bytes;
  }

  /** Takes the next attachment; returns the packet once it is the last one. */
  add(attachment: object): Packet | undefined {
    this.#bytes += sizeOf(attachment);
    if (this.#bytes > this.#maxBytes) throw new ProtocolError("SIO_PARTIAL_PACKET_TOO_LARGE");
    this.#attachments.push(attachment);
    if (this.#attachments.length < this.#expected) return undefined;
    const data = this.#packet.data;
    if (typeof data === "object" && data !== null) restoreBinary(data, this.#attachments);
    return this.#packet;
  }
}

/** Buffers and views count `byteLength`, Blobs `size`. */
function sizeOf(attachment: object): number {
  const { byteLength, size } = attachment as { byteLength?: number; size?: number };
  return byteLength ?? (size as number);
}
