import { randomBytes } from "node:crypto";

const RANDOM_BYTES = 12;
let counter = 0;

/**
 * 20 chars of URL-safe base64: 12 random bytes, then a counter that keeps two ids of one process apart whatever the
 * random source does (spec/server.md 1.6). Several adapters tell a socket id by its length.
 */
export function generateSessionId(): string {
  const bytes = Buffer.allocUnsafe(RANDOM_BYTES + 4);
  randomBytes(RANDOM_BYTES).copy(bytes);
  counter = (counter + 1) | 0;
  bytes.writeInt32BE(counter, RANDOM_BYTES - 1);
  return bytes.toString("base64url", 0, RANDOM_BYTES + 3);
}
