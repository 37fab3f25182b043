import { createHash } from "node:crypto";

const PREFIX = "plugboard:session:";

/** Room of all sockets of a session. The id itself is a secret, and rooms are shown to administrators. */
export function roomOf(id: string): string {
  return PREFIX + createHash("sha256").update(id).digest("base64url");
}

export const isSessionRoom = (room: string): boolean => room.startsWith(PREFIX);
