import { createEngineCodec, type EngineCodec } from "./engine-codec.js";
import type { EnginePacket } from "./engine-packet.js";
import { hostGlobals } from "./host-globals.js";
import { ProtocolError, type ProtocolErrorCode } from "./protocol-error.js";

// A frame is read in three steps, each of which waits until all of its bytes are there:
//
//   first byte ──► length in 2 or 8 bytes (when the first byte says so) ──► payload ──► first byte ...
//
// Bytes that come in one chunk are used where they are; what is split over chunks is gathered in a buffer that grows
// with the bytes received and never with the length that was merely announced.

const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;
const FIRST_GATHERED_BYTES = 256;

type Step = "first byte" | "length" | "payload";

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
   * @param codec - decodes the payloads. Default: the portable codec
   */
  new (maxPayloadBytes: number, codec?: EngineCodec): FrameDecoder;
}

class StreamFrameDecoder implements FrameDecoder {
  readonly #maxPayloadBytes: number;
  readonly #codec: EngineCodec;
  #error: ProtocolError | undefined = undefined;
  #step: Step = "first byte";
  #binary = false;
  /** Bytes the current step waits for. */
  #needed = 1;
  #gathered: Uint8Array = new Uint8Array(0);
  #gatheredBytes = 0;

  constructor(maxPayloadBytes: number, codec: EngineCodec = createEngineCodec()) {
    this.#maxPayloadBytes = Math.min(maxPayloadBytes, Number.MAX_SAFE_INTEGER);
    this.#codec = codec;
  }

  get error(): ProtocolError | undefined {
    return this.#error;
  }

  push(chunk: Uint8Array): EnginePacket[] {
    const packets: EnginePacket[] = [];
    let at = 0;
    while (this.#error === undefined && at < chunk.length) {
      const taken = Math.min(this.#needed - this.#gatheredBytes, chunk.length - at);
      const part = chunk.subarray(at, at + taken);
      at += taken;
      if (taken === this.#needed) this.#advance(part, packets);
      else this.#gather(part, packets);
    }
    return packets;
  }

  #gather(part: Uint8Array, packets: EnginePacket[]): void {
    const total = this.#gatheredBytes + part.length;
    if (total > this.#gathered.length) {
      const grown = new Uint8Array(Math.min(this.#needed, Math.max(total * 2, FIRST_GATHERED_BYTES)));
      grown.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = grown;
    }
    this.#gathered.set(part, this.#gatheredBytes);
    this.#gatheredBytes = total;
    if (total < this.#needed) return;
    const complete = this.#gathered.subarray(0, total);
    this.#release();
    this.#advance(complete, packets);
  }

  #release(): void {
    this.#gathered = new Uint8Array(0);
    this.#gatheredBytes = 0;
  }

  /** All the bytes of the current step are there. */
  #advance(bytes: Uint8Array, packets: EnginePacket[]): void {
    if (this.#step === "payload") return this.#finishFrame(bytes, packets);
    if (this.#step === "length") return this.#expectPayload(readLength(bytes), packets);
    const first = bytes[0] as number;
    const length = first & 0x7f;
    this.#binary = first >= 0x80;
    if (length < LENGTH_IN_2_BYTES) return this.#expectPayload(length, packets);
    this.#expect("length", length === LENGTH_IN_8_BYTES ? 8 : 2);
  }

  #expect(step: Step, bytes: number): void {
    this.#step = step;
    this.#needed = bytes;
  }

  #expectPayload(length: number, packets: EnginePacket[]): void {
    if (length === 0) return this.#fail("EIO_EMPTY_FRAME", packets);
    if (length > this.#maxPayloadBytes) return this.#fail("EIO_FRAME_TOO_LARGE", packets);
    this.#expect("payload", length);
  }

  #finishFrame(payload: Uint8Array, packets: EnginePacket[]): void {
    const text = this.#binary ? payload : decodeUtf8(payload);
    const packet = this.#codec.decodePacket(text);
    if (packet.type === "error") return this.#fail("EIO_INVALID_PACKET", packets);
    packets.push(packet);
    this.#expect("first byte", 1);
  }

  #fail(code: ProtocolErrorCode, packets: EnginePacket[]): void {
    this.#error = new ProtocolError(code);
    packets.push({ type: "error", data: "parser error" });
  }
}

/** Rounded beyond the safe integers, where every length is over the limit anyway. */
function readLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 2) return view.getUint16(0);
  return view.getUint32(0) * 2 ** 32 + view.getUint32(4);
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
