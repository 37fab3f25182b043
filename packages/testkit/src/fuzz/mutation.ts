import type { Random } from "./random.js";

/** What has broken parsers before, ours or others'. */
const HOSTILE_TOKENS: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":-1}',
  '{"_placeholder":true,"num":"splice"}',
  '{"_placeholder":true,"num":0.5}',
  '{"_placeholder":true}',
  '{"then":1}',
  '{"toJSON":1}',
  "connect",
  "connect_error",
  "disconnect",
  "newListener",
  "error",
  "null",
  "true",
  "[",
  "]",
  "{",
  "}",
  '"',
  "\\",
  ",",
  "-",
  "/",
  "?",
  "&",
  "=",
  "%",
  "%00",
  "%zz",
  "+",
  ";",
  "\0",
  "\r\n",
  "\t",
  " ",
  "\x1e",
  "\x7f",
  "\ufeff",
  "\u2028",
  "\ud800",
  "\udc00",
  "é",
  "😀",
];

const HOSTILE_NUMBERS: readonly string[] = [
  "0",
  "1",
  "-1",
  "00000000012",
  "1.5",
  "10",
  "11",
  "127",
  "255",
  "65536",
  "1e9",
  "1e999",
  "2147483648",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "99999999999999999999",
  "9".repeat(400),
];

const MAX_MUTATIONS = 4;

type TextMutation = (random: Random, text: string, at: number, other: string) => string;

const TEXT_MUTATIONS: readonly TextMutation[] = [
  (random, text, at) => text.slice(0, at) + String.fromCharCode(random.int(128)) + text.slice(at + 1),
  (random, text, at) => text.slice(0, at) + random.pick(HOSTILE_TOKENS) + text.slice(at),
  (random, text, at) => text.slice(0, at) + random.pick(HOSTILE_TOKENS) + text.slice(at + random.small(12)),
  (_random, text, at) => text.slice(0, at),
  (_random, text, at) => text.slice(at),
  (random, text, at) => text.slice(0, at) + text.slice(at + 1 + random.small(12)),
  (random, text, at) =>
    text.slice(0, at) + text.slice(at, at + 1 + random.small(16)).repeat(1 + random.small(8)) + text.slice(at),
  (random, text, at, other) => text.slice(0, at) + other.slice(random.int(other.length + 1)),
  (_random, text, at, other) => text.slice(0, at) + other + text.slice(at),
  (random, text, at) => inflateNumber(random, text, at),
  (random, text, at) => text.slice(0, at) + random.text(1 + random.small(8)) + text.slice(at),
];

/** Replaces the first number from `at` on. */
function inflateNumber(random: Random, text: string, at: number): string {
  return text.slice(0, at) + text.slice(at).replace(/\d+/, () => random.pick(HOSTILE_NUMBERS));
}

/** Damages a text in one to four places. `other` is what may be spliced in. */
export function mutateText(random: Random, text: string, other: string): string {
  let mutated = text;
  for (let left = 1 + random.small(MAX_MUTATIONS); left > 0; left--) {
    mutated = random.pick(TEXT_MUTATIONS)(random, mutated, random.int(mutated.length + 1), other);
  }
  return mutated;
}

type BytesMutation = (random: Random, bytes: Uint8Array, at: number, other: Uint8Array) => Uint8Array;

const INTERESTING_BYTES: readonly number[] = [
  0, 1, 0x1e, 0x30, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0xfe, 0xff, 0xc0, 0xed,
];

const BYTES_MUTATIONS: readonly BytesMutation[] = [
  (random, bytes, at) => setByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.int(8))),
  (random, bytes, at) => setByte(bytes, at, random.pick(INTERESTING_BYTES)),
  (random, bytes, at) => setByte(bytes, at, random.int(256)),
  (_random, bytes, at) => bytes.slice(0, at),
  (_random, bytes, at) => bytes.slice(at),
  (random, bytes, at) => joinBytes([bytes.subarray(0, at), bytes.subarray(at + 1 + random.small(12))]),
  (random, bytes, at) => joinBytes([bytes.subarray(0, at + random.small(16)), bytes.subarray(at)]),
  (_random, bytes, at, other) => joinBytes([bytes.subarray(0, at), other, bytes.subarray(at)]),
  (random, bytes, at, other) => joinBytes([bytes.subarray(0, at), other.subarray(random.int(other.length + 1))]),
  (random, bytes, at) => joinBytes([bytes.subarray(0, at), random.bytes(1 + random.small(8)), bytes.subarray(at)]),
];

function setByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = value;
  return copy;
}

/** Damages bytes in one to four places. `other` is what may be spliced in. */
export function mutateBytes(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let mutated = bytes;
  for (let left = 1 + random.small(MAX_MUTATIONS); left > 0; left--) {
    mutated = random.pick(BYTES_MUTATIONS)(random, mutated, random.int(mutated.length + 1), other);
  }
  return mutated;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Cuts bytes into pieces of random lengths. */
export function splitBytes(random: Random, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.small(bytes.length - at);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
