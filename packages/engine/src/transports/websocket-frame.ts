/*
 * WebSocket frames as "binary strings": one char per byte. A server frame is an unmasked header plus the payload
 * (RFC 6455, 5.2), so frames concatenate like any string, and a whole batch leaves as one latin1 write.
 */

const TEXT = 0x81;
const BINARY = 0x82;

/** Headers of text frames with the one-byte length form, the common case. */
const SHORT_TEXT_HEADERS: readonly string[] = Array.from({ length: 126 }, (_, length) => frameHeader(TEXT, length));

function frameHeader(firstByte: number, length: number): string {
  if (length < 126) return String.fromCharCode(firstByte, length);
  if (length < 0x1_0000) return String.fromCharCode(firstByte, 126, length >>> 8, length & 0xff);
  const high = Math.floor(length / 0x1_0000_0000);
  return String.fromCharCode(
    firstByte,
    127,
    ...[high >>> 24, high >>> 16, high >>> 8, high, length >>> 24, length >>> 16, length >>> 8, length].map(
      (byte) => byte & 0xff,
    ),
  );
}

/** The frame of a text message, given as prefix and rest so that a long text need not be copied to be prefixed. */
export function textFrame(prefix: string, text: string): string {
  const byteLength = Buffer.byteLength(text);
  // As many bytes as chars means ASCII only: then the text is its own binary string.
  const body = byteLength === text.length ? text : Buffer.from(text).toString("latin1");
  const length = prefix.length + byteLength;
  return (SHORT_TEXT_HEADERS[length] ?? frameHeader(TEXT, length)) + prefix + body;
}

/** The header of a binary frame; the payload follows as bytes. */
export function binaryFrameHeader(length: number): string {
  return frameHeader(BINARY, length);
}

/** A frame built once for all the receivers of a broadcast. */
export interface PreparedFrame {
  /** Whether it carries bytes: not for a client that takes binary as base64. */
  readonly isBinary: boolean;
  /** Header and payload, one char per byte. */
  readonly binaryString: string;
  /** The same as `[header, payload]`, the form that third parties know as `wsPreEncodedFrame`. Built when asked for. */
  readonly buffers: readonly Uint8Array[];
}

class PreparedTextFrame implements PreparedFrame {
  readonly isBinary = false;
  readonly #message: string;
  readonly binaryString: string;

  constructor(message: string) {
    this.#message = message;
    this.binaryString = textFrame("4", message);
  }

  get buffers(): readonly Uint8Array[] {
    const payload = Buffer.from("4" + this.#message);
    return [Buffer.from(frameHeader(TEXT, payload.length), "latin1"), payload];
  }
}

class PreparedBinaryFrame implements PreparedFrame {
  readonly isBinary = true;
  readonly #bytes: Buffer;
  readonly binaryString: string;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.binaryString = frameHeader(BINARY, bytes.length) + bytes.toString("latin1");
  }

  get buffers(): readonly Uint8Array[] {
    return [Buffer.from(frameHeader(BINARY, this.#bytes.length), "latin1"), this.#bytes];
  }
}

/** Binary payloads up to this size travel as chars; larger ones as the bytes they are. */
export const FOLD_LIMIT_BYTES = 1024;

/**
 * Builds the frame of an Engine.IO message once.
 *
 * @returns undefined for bytes that are shared as they are
 */
export function prepareFrame(message: string): PreparedFrame;
export function prepareFrame(message: string | Uint8Array): PreparedFrame | undefined;
export function prepareFrame(message: string | Uint8Array): PreparedFrame | undefined {
  if (typeof message === "string") return new PreparedTextFrame(message);
  if (message.byteLength > FOLD_LIMIT_BYTES) return undefined;
  return new PreparedBinaryFrame(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
}

const converted = new WeakMap<readonly Uint8Array[], string>();

/** Converts the frame that a third-party adapter has built: once per broadcast, however many receivers share it. */
export function foreignFrame(buffers: readonly Uint8Array[]): string {
  let frame = converted.get(buffers);
  if (frame === undefined) {
    frame = Buffer.concat(buffers).toString("latin1");
    converted.set(buffers, frame);
  }
  return frame;
}
