/**
 * How a host turns bytes into base64 and back. Node hands in one over `Buffer`, so that decoded messages are Buffers;
 * everywhere else {@link portableByteHost} serves.
 */
export interface ByteHost {
  /** Standard alphabet, padded with `=`. */
  encodeBase64(bytes: Uint8Array): string;
  /** Never throws: see {@link portableByteHost} for what happens to characters that are not base64. */
  decodeBase64(text: string): Uint8Array;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PADDING = 61;
/** Characters built per `String.fromCharCode` call: far below the argument limit of every engine. */
const SLICE_CHARACTERS = 8192;

const digits = new Uint8Array(64);
const values = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value++) {
  const character = ALPHABET.charCodeAt(value);
  digits[value] = character;
  values[character] = value;
}
values["-".charCodeAt(0)] = 62;
values["_".charCodeAt(0)] = 63;

function digitOf(sextet: number): number {
  return digits[sextet & 63] as number;
}

function encodeBase64(bytes: Uint8Array): string {
  const length = bytes.length;
  const characters = new Uint8Array(Math.ceil(length / 3) * 4).fill(PADDING);
  let at = 0;
  for (let i = 0; i < length; i += 3) {
    const triple = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    characters[at] = digitOf(triple >> 18);
    characters[at + 1] = digitOf(triple >> 12);
    if (i + 1 < length) characters[at + 2] = digitOf(triple >> 6);
    if (i + 2 < length) characters[at + 3] = digitOf(triple);
    at += 4;
  }
  let text = "";
  for (let i = 0; i < characters.length; i += SLICE_CHARACTERS) {
    // `apply` takes any array-like, at a fraction of the cost of spreading one.
    text += String.fromCharCode.apply(null, characters.subarray(i, i + SLICE_CHARACTERS) as unknown as number[]);
  }
  return text;
}

function decodeBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor(text.length * 0.75));
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === PADDING) break;
    const value = character < 128 ? (values[character] as number) : -1;
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xfff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[length++] = bits >> bitCount;
    }
  }
  return bytes.subarray(0, length);
}

/**
 * The byte host for hosts without a better one. It decodes as Node's Buffer does rather than as `atob`, which throws:
 * the URL-safe alphabet is understood, other characters are skipped, the first `=` ends the text, and bits that do not
 * fill a byte are dropped. Linear in its input.
 */
export const portableByteHost: ByteHost = { encodeBase64, decodeBase64 };
