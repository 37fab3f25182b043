/** Up to here the length of a frame stands in its first byte. */
const LONGEST_IN_FIRST_BYTE = 125;
/** What stands there instead when the length follows in 2 bytes; one more says that it follows in 8. */
const IN_2_BYTES = 126;

/** Set in the first byte of a frame whose payload is binary. */
export const BINARY_BIT = 0x80;

/** How many bytes of length follow a first byte, by what it says of the length. */
export function lengthBytes(mark: number): number {
  return mark < IN_2_BYTES ? 0 : mark === IN_2_BYTES ? 2 : 8;
}

/** What the first byte says of a length. */
export function lengthMark(length: number): number {
  return length <= LONGEST_IN_FIRST_BYTE ? length : length <= 0xffff ? IN_2_BYTES : IN_2_BYTES + 1;
}
