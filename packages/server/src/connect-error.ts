import type { Packet } from "@plugboard/protocol";

/** What the client is told of an error that keeps it out: nothing but the message, and `data` if the error has it. */
export function connectErrorOf(error: unknown): Packet["data"] {
  if (typeof error !== "object" || error === null) return { message: String(error) };
  const { message, data } = error as { message?: unknown; data?: unknown };
  return data === undefined ? { message } : { message, data };
}
