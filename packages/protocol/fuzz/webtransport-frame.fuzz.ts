/*
 * Invariant: any stream of bytes, however it is cut, gives the same packets and at most one declared error, after which
 * nothing is decoded or kept any more, in linear time and memory bounded by the bytes that came.
 */
import { encodeFrame, type EnginePacket, FrameDecoder, portableCodec } from "@plugboard/protocol";
import { type FuzzTarget, joinBytes, mutateBytes, Random, splitBytes } from "@plugboard/testkit/fuzz";

const MAX_PAYLOAD_BYTES = 1_000_000;
const BYTE_BY_BYTE_LIMIT = 256;
const SAMPLES = [
  "0",
  '0{"sid":"abc"}',
  "2",
  "2probe",
  "3probe",
  "4hello",
  "4é😀",
  "5",
  "6",
  "1",
  "bAAEC",
  "b",
  "9",
  "x",
  "\u{feff}4",
];

const codec = portableCodec;

function frame(random: Random): Uint8Array {
  if (random.oneIn(3)) return joinBytes(encodeFrame(random.bytes(random.pick([0, 1, 5, 125, 126, 127, 300]))));
  if (random.oneIn(6)) return lengthHeader(random);
  return joinBytes(encodeFrame(random.pick(SAMPLES) + (random.oneIn(8) ? "x".repeat(random.int(400)) : "")));
}

/** A length in 2 or 8 bytes that is not the shortest way to say it, or far too large. */
function lengthHeader(random: Random): Uint8Array {
  const binary = random.pick([0, 0x80]);
  if (random.oneIn(2)) return Uint8Array.of(binary | 126, random.small(256), random.int(256), ...random.bytes(3));
  const high = random.oneIn(2) ? [0, 0, 0, 0, 0, 0] : [...random.bytes(6)];
  return Uint8Array.of(binary | 127, ...high, 0, random.small(16), ...random.bytes(8));
}

function generate(random: Random): Uint8Array[] {
  if (random.oneIn(16)) return [random.bytes(random.small(300))];
  const frames: Uint8Array[] = [];
  for (let left = 1 + random.small(5); left > 0; left--) frames.push(frame(random));
  const bytes = joinBytes(frames);
  return [random.oneIn(4) ? bytes : mutateBytes(random, bytes, frame(random))];
}

const repeated = (size: number, bytes: readonly number[]): Uint8Array[] => [
  new Uint8Array(size).map((_, index) => bytes[index % bytes.length] as number),
];

function decode(pieces: readonly Uint8Array[]): { packets: EnginePacket[]; error: string } {
  const decoder = new FrameDecoder(MAX_PAYLOAD_BYTES, codec);
  const packets: EnginePacket[] = [];
  for (const piece of pieces) {
    for (const packet of decoder.push(piece)) packets.push(packet);
  }
  const error = decoder.error ?? "";
  if (error !== "" && decoder.push(Uint8Array.of(1, 50)).length > 0) throw new Error("a dead decoder decodes");
  return { packets, error };
}

function bytesOfPacket({ type, data = "" }: EnginePacket): Buffer {
  return Buffer.concat([Buffer.from(`${type}:${typeof data}:`), Buffer.from(data as string)]);
}

function checkSame(whole: EnginePacket[], split: EnginePacket[]): void {
  const same = whole.length === split.length && whole.every((packet, i) => isSame(packet, split[i] as EnginePacket));
  if (!same) throw new Error("the split stream gives other packets than the whole one");
}

function isSame(one: EnginePacket, other: EnginePacket): boolean {
  if (one.type === other.type && one.data === other.data) return true;
  return bytesOfPacket(one).equals(bytesOfPacket(other));
}

export const target: FuzzTarget = {
  name: "webtransport-frame",
  generate,
  growing: {
    "frames of one byte": (size) => repeated(size, [1, 50]),
    "binary frames of one byte": (size) => repeated(size, [0x81, 0]),
    "a large frame": (size) => [
      Uint8Array.of(127, 0, 0, 0, 0, 0, size >> 16, size >> 8, size),
      ...repeated(size, [52]),
    ],
    "a large frame in small pieces": (size) => [
      Uint8Array.of(255, 0, 0, 0, 0, 0, size >> 16, size >> 8, size),
      ...Array.from({ length: size / 16 }, () => new Uint8Array(16)),
    ],
    "a large base64 frame": (size) => [
      Uint8Array.of(127, 0, 0, 0, 0, 0, size >> 16, size >> 8, size),
      ...repeated(size, [98]),
    ],
    "bytes after the end": (size) => repeated(size, [0]),
  },
  open() {
    return {
      run(input) {
        const pieces = input as Uint8Array[];
        const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : joinBytes(pieces);
        const whole = decode([bytes]);
        const { packets, error } = whole;
        const last = packets.at(-1);
        if ((last?.type === "error") !== (error !== "")) throw new Error("the error and the last packet differ");
        if (packets.slice(0, -1).some(({ type }) => type === "error")) throw new Error("an error in between");
        const splits = [pieces.length > 1 ? pieces : splitBytes(new Random(bytes.length, bytes[0] ?? 0), bytes)];
        if (bytes.length <= BYTE_BY_BYTE_LIMIT) splits.push(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)));
        for (const split of splits) {
          const result = decode(split);
          checkSame(packets, result.packets);
          if (result.error !== error) throw new Error(`whole: ${error}, split: ${result.error}`);
        }
        return error || (last === undefined ? "waits for more" : last.type);
      },
    };
  },
};
