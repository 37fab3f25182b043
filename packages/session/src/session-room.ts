import { hash } from "node:crypto";

const PREFIX = "plugboard:session:";

/** Room of all sockets of a session. The id itself is a secret, and rooms are shown to administrators. */
export function roomOf(id: string): string {
  return PREFIX + hash("sha256", id, "base64url");
}

export const isSessionRoom = (room: string): boolean => room.startsWith(PREFIX);
