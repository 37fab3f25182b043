import { joinBytes, type Random } from "@plugboard/testkit/fuzz";

export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

export interface ClientFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly isLast?: boolean;
  readonly isCompressed?: boolean;
  /** Of zeros, for the sake of inputs that repeat. */
  readonly mask?: Uint8Array;
}

const NO_MASK = new Uint8Array(4);
const LAST_BIT = 0x80;
const COMPRESSED_BIT = 0x40;
const MASK_BIT = 0x80;

/** A WebSocket frame as clients send them (RFC 6455, 5.2). */
export function clientFrame(frame: ClientFrame): Uint8Array {
  const { opcode, payload, isLast = true, isCompressed = false, mask = NO_MASK } = frame;
  const { length } = payload;
  const header = [(isLast ? LAST_BIT : 0) | (isCompressed ? COMPRESSED_BIT : 0) | opcode];
  if (length < 126) header.push(MASK_BIT | length);
  else if (length < 65536) header.push(MASK_BIT | 126, length >> 8, length & 255);
  else header.push(MASK_BIT | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] as number));
  return joinBytes([Uint8Array.from(header), mask, masked]);
}

/** Frames that carry one message or control; some in fragments, some with what is not allowed. */
export function someFrames(random: Random, payload: Uint8Array): Uint8Array[] {
  const mask = random.bytes(4);
  const opcode = random.oneIn(4) ? Opcode.BINARY : Opcode.TEXT;
  if (random.oneIn(12)) return [clientFrame({ opcode: random.int(16), payload, mask, isLast: !random.oneIn(4) })];
  if (random.oneIn(12)) return [closeFrame(random, mask)];
  if (!random.oneIn(4)) return [clientFrame({ opcode, payload, mask })];
  const cut = random.int(payload.length + 1);
  const frames = [
    clientFrame({ opcode, payload: payload.subarray(0, cut), mask, isLast: false }),
    clientFrame({ opcode: Opcode.CONTINUATION, payload: payload.subarray(cut), mask }),
  ];
  if (random.oneIn(4)) frames.splice(1, 0, clientFrame({ opcode: Opcode.PING, payload: random.bytes(3), mask }));
  return frames;
}

function closeFrame(random: Random, mask: Uint8Array): Uint8Array {
  const code = random.pick([999, 1000, 1001, 1005, 1006, 1015, 2999, 3000, 5000]);
  const payload = random.oneIn(3)
    ? random.bytes(random.small(4))
    : Uint8Array.of(code >> 8, code & 255, ...random.bytes(random.small(3)));
  return clientFrame({ opcode: Opcode.CLOSE, payload, mask });
}

/**
 * Reads the frames a server has written.
 *
 * @returns the opcodes
 * @throws when the bytes are not whole, unmasked frames
 */
export function serverOpcodes(bytes: Buffer): number[] {
  const opcodes: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] as number;
    const short = bytes[at + 1] as number;
    if (short >= MASK_BIT || (first & 0x70) !== 0 || first < LAST_BIT)
      throw new Error(`not a frame of a server at ${at}`);
    const [length, header] =
      short < 126
        ? [short, 2]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [Number(bytes.readBigUInt64BE(at + 2)), 10];
    opcodes.push(first & 15);
    at += header + length;
  }
  if (at !== bytes.length) throw new Error("the last frame of the server is cut off");
  return opcodes;
}
