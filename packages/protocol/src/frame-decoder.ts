import type { EnginePacket } from "./engine-packet.js";
import { BINARY_BIT, lengthBytes } from "./frame-length.js";
import { hostGlobals } from "./host-globals.js";
import type { PacketCodec } from "./packet-codec.js";
import type { ProtocolErrorCode } from "./protocol-error.js";

/** Turns the chunks of a WebTransport stream, however they are cut, into Engine.IO packets (spec/server.md 1.20). */
export interface FrameDecoder {
  /**
   * What ended the decoding, if anything did: `EIO_EMPTY_FRAME`, `EIO_FRAME_TOO_LARGE` or `EIO_INVALID_PACKET`.
   * From then on the decoder is dead: it returns nothing and keeps nothing.
   */
  readonly error: ProtocolErrorCode | undefined;
  /**
   * Takes the next bytes of the stream and returns the packets they complete. A violation gives one last packet
   * `{ type: "error", data: "parser error" }`. Binary data may be a view on the chunk: do not write to a chunk afterwards.
   */
  push(chunk: Uint8Array): EnginePacket[];
}

/** Constructor of {@link FrameDecoder}. */
export interface FrameDecoderConstructor {
  /**
   * @param maxPayloadBytes - a frame that announces more is a violation, found before any of it is buffered; at most
   *   `Number.MAX_SAFE_INTEGER`
   * @param codec - decodes the payloads
   */
  new (maxPayloadBytes: number, codec: PacketCodec): FrameDecoder;
}

class StreamFrameDecoder implements FrameDecoder {
  error: ProtocolErrorCode | undefined = undefined;
  readonly #maxPayloadBytes: number;
  readonly #codec: PacketCodec;
  /** An incomplete frame. Grows with the bytes received, and never with the length that was merely announced. */
  #buffer: Uint8Array = new Uint8Array(0);
  /** How much of the buffer is in use. */
  #size = 0;

  constructor(maxPayloadBytes: number, codec: PacketCodec) {
    this.#maxPayloadBytes = Math.min(maxPayloadBytes, Number.MAX_SAFE_INTEGER);
    this.#codec = codec;
  }

  push(chunk: Uint8Array): EnginePacket[] {
    const packets: EnginePacket[] = [];
    if (this.error) return packets;
    // Frames that come in one chunk are used where they are.
    const bytes = this.#size > 0 ? this.#gather(chunk) : chunk;
    let at = 0;
    while (at < bytes.length) {
      const first = bytes[at] as number;
      let length = first & ~BINARY_BIT;
      const start = at + 1 + lengthBytes(length);
      if (start > bytes.length) break;
      // Rounded beyond the safe integers, where every length is over the limit anyway.
      if (start > at + 1) length = bytes.subarray(at + 1, start).reduce((sum, byte) => sum * 256 + byte, 0);
      const end = start + length;
      if (length === 0) this.error = "EIO_EMPTY_FRAME";
      else if (length > this.#maxPayloadBytes) this.error = "EIO_FRAME_TOO_LARGE";
      else if (end > bytes.length) break;
      const payload = bytes.subarray(start, end);
      const packet = this.#codec.decodePacket(this.error ? "" : first < BINARY_BIT ? decodeUtf8(payload) : payload);
      packets.push(packet);
      at = end;
      if (packet.type === "error") {
        this.error ??= "EIO_INVALID_PACKET";
        // Nothing is kept.
        at = bytes.length;
      }
    }
    // An incomplete frame that was gathered before stays where it is.
    if (at > 0 || bytes === chunk) {
      this.#buffer = bytes.slice(at);
      this.#size = this.#buffer.length;
    }
    return packets;
  }

  #gather(chunk: Uint8Array): Uint8Array {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(size * 2);
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#size);
    this.#size = size;
    return this.#buffer.subarray(0, size);
  }
}

/** Bytes that are not UTF-8 give the empty text, which is no packet. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new hostGlobals.TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "";
  }
}

export const FrameDecoder: FrameDecoderConstructor = StreamFrameDecoder;
