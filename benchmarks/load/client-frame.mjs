import { randomBytes } from "node:crypto";

/**
 * A masked client frame of RFC 6455 for a short text. Frames are built before a measurement begins, so that masking costs the
 * load generator nothing while it measures.
 *
 * @param {string} text at most 65,535 bytes in UTF-8
 * @returns {Buffer}
 */
export function clientTextFrame(text) {
  const payload = Buffer.from(text);
  if (payload.length > 0xffff)
    throw new RangeError(`a benchmark frame carries at most 65535 bytes, got ${payload.length}`);
  const isShort = payload.length < 126;
  const header = isShort
    ? Buffer.from([0x81, 0x80 | payload.length])
    : Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  const mask = randomBytes(4);
  for (let index = 0; index < payload.length; index++) payload[index] ^= mask[index & 3];
  return Buffer.concat([header, mask, payload]);
}
