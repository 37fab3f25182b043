import { MAX_MESSAGE_DEPTH } from "./limits.js";

/** Of the heads from 0xc0 to 0xdf: bytes of the length that follows. */
const LENGTH_BYTES = [0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4];
/** Bytes besides those: of a number, of the type of an extension and of its data if that has a fixed length. */
const OTHER_BYTES = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0];

const FIRST_TABLED = 0xc0;
const NEVER_USED = 0xc1;
const FIRST_BINARY = 0xc4;
const LAST_EXTENSION = 0xc9;
const FIRST_CONTAINER = 0xdc;
const FIRST_MAP = 0xde;

/**
 * Walks over one MessagePack value without making anything of it. To be called before it is decoded: decoders reserve
 * the memory that the head of an array asks for, so that a few hundred bytes of nested heads are the end of a process.
 * What passes here is complete and holds no more values than bytes.
 *
 * Linear, and without recursion.
 * @returns whether there may be bytes in it
 * @throws RangeError when something is cut off, left over or nested too deeply
 * @throws SyntaxError for the one byte that begins no value
 */
export function checkStructure(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** How many values are still to come: in the current container, and in those around it. */
  let left = 1;
  const outer: number[] = [];
  let at = 0;
  let holdsBytes = false;
  while (left > 0) {
    left--;
    const head = view.getUint8(at++);
    let values = 0;
    if (head >= 0x80 && head < 0xa0) {
      values = head < 0x90 ? (head & 15) * 2 : head & 15;
    } else if (head >= 0xa0 && head < FIRST_TABLED) {
      at += head & 31;
    } else if (head >= FIRST_TABLED && head < 0xe0) {
      if (head === NEVER_USED) throw new SyntaxError("0xc1 begins no value");
      if (head >= FIRST_BINARY && head <= LAST_EXTENSION) holdsBytes = true;
      const row = head - FIRST_TABLED;
      const length = readLength(view, at, LENGTH_BYTES[row]);
      at += (LENGTH_BYTES[row] as number) + (OTHER_BYTES[row] as number);
      if (head < FIRST_CONTAINER) at += length;
      else values = head < FIRST_MAP ? length : length * 2;
    }
    if (values > 0) {
      if (outer.push(left) > MAX_MESSAGE_DEPTH) throw new RangeError("nested too deeply");
      left = values;
    }
    while (left === 0 && outer.length > 0) left = outer.pop() as number;
  }
  if (at !== bytes.length) throw new RangeError(at > bytes.length ? "cut off" : "something is left over");
  return holdsBytes;
}

function readLength(view: DataView, at: number, bytes: number | undefined): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at);
  return bytes === 4 ? view.getUint32(at) : 0;
}
