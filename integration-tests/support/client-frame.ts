export const Opcode = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

const MASK = Buffer.from([0x51, 0x0f, 0xa2, 0x3c]);

export interface ClientFrameInit {
  /** Text by default. */
  readonly opcode?: number;
  /** False for a fragment that others follow. */
  readonly isFinal?: boolean;
  /** Bits of the first byte that extensions may use: 0x40, 0x20, 0x10. */
  readonly reserved?: number;
  /** Clients have to mask. */
  readonly isMasked?: boolean;
  /** What the header says instead of the true length; in eight bytes. */
  readonly announcedLength?: bigint;
}

/** The bytes of a WebSocket frame as a client sends it, or as it should not. */
export function clientFrame(payload: string | Uint8Array = "", init: ClientFrameInit = {}): Buffer {
  const { opcode = Opcode.TEXT, isFinal = true, reserved = 0, isMasked = true, announcedLength } = init;
  const bytes = Buffer.from(payload);
  const first = (isFinal ? 0x80 : 0) | reserved | opcode;
  const header = Buffer.from([first, ...lengthBytes(bytes.length, announcedLength)]);
  if (!isMasked) return Buffer.concat([header, bytes]);
  header[1] = (header[1] as number) | 0x80;
  return Buffer.concat([header, MASK, bytes.map((byte, index) => byte ^ (MASK[index & 3] as number))]);
}

function lengthBytes(length: number, announced: bigint | undefined): Uint8Array {
  if (announced === undefined && length < 126) return Uint8Array.of(length);
  if (announced === undefined && length < 65_536) return Uint8Array.of(126, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(9, 127);
  bytes.writeBigUInt64BE(announced ?? BigInt(length), 1);
  return bytes;
}
