import { randomBytes } from "node:crypto";

const ID_BYTES = 15;

/** A socket or session id: 15 random bytes as 20 chars. Third-party adapters tell ids from room names by that length. */
export function createId(): string {
  return randomBytes(ID_BYTES).toString("base64url");
}
