import type { EnginePacket } from "./engine-packet.js";
import { hostGlobals } from "./host-globals.js";
import type { PacketCodec } from "./packet-codec.js";
import { ProtocolError, type ProtocolErrorCode } from "./protocol-error.js";

const BINARY_BIT = 0x80;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;

/** Turns the chunks of a WebTransport stream, however they are cut, into Engine.IO packets (spec/server.md 1.20). */
export interface FrameDecoder {
  /**
   * What ended the decoding, if anything did: `EIO_EMPTY_FRAME`, `EIO_FRAME_TOO_LARGE` or `EIO_INVALID_PACKET`.
   * From then on the decoder is dead: it returns nothing and keeps nothing.
   */
  readonly error: ProtocolError | undefined;
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
  error: ProtocolError | undefined = undefined;
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
    // Frames that come in one chunk are used where they are.
    const bytes = this.#size > 0 ? this.#gather(chunk) : chunk;
    let at = 0;
    while (this.error === undefined) {
      const end = this.#decodeFrame(bytes, at, packets);
      if (end === undefined) break;
      at = end;
    }
    // After an error nothing is kept, and an incomplete frame that was gathered before stays where it is.
    if (this.error) at = bytes.length;
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

  /** Decodes the frame at `at` and returns where it ends; undefined while bytes of it are missing. */
  #decodeFrame(bytes: Uint8Array, at: number, packets: EnginePacket[]): number | undefined {
    const first = bytes[at];
    if (first === undefined) return undefined;
    let length = first & 0x7f;
    let start = at + 1;
    if (length >= LENGTH_IN_2_BYTES) {
      start += length === LENGTH_IN_8_BYTES ? 8 : 2;
      if (start > bytes.length) return undefined;
      // Rounded beyond the safe integers, where every length is over the limit anyway.
      length = bytes.subarray(at + 1, start).reduce((sum, byte) => sum * 256 + byte, 0);
    }
    if (length === 0) return this.#fail("EIO_EMPTY_FRAME", packets);
    if (length > this.#maxPayloadBytes) return this.#fail("EIO_FRAME_TOO_LARGE", packets);
    const end = start + length;
    if (end > bytes.length) return undefined;
    const payload = bytes.subarray(start, end);
    const packet = this.#codec.decodePacket(first < BINARY_BIT ? decodeUtf8(payload) : payload);
    if (packet.type === "error") return this.#fail("EIO_INVALID_PACKET", packets);
    packets.push(packet);
    return end;
  }

  #fail(code: ProtocolErrorCode, packets: EnginePacket[]): undefined {
    const data = "parser error";
    this.error = new ProtocolError(code, data);
    packets.push({ type: "error", data });
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
