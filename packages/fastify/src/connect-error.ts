import type { ExtendedError } from "@plugboard/server";

/** What a client gets to know of an error by which it was refused: the message, and as `data` its code, status and data. */
export function connectError(error: unknown): ExtendedError {
  const given = error instanceof Error ? error : new Error(String(error));
  const { code, statusCode, data } = given as { code?: unknown; statusCode?: unknown; data?: unknown };
  if (code === undefined && statusCode === undefined) return given;
  const known = { ...(code !== undefined && { code }), ...(statusCode !== undefined && { statusCode }) };
  const isRecord = typeof data === "object" && data !== null && !Array.isArray(data);
  const all = isRecord ? { ...known, ...data } : { ...known, ...(data !== undefined && { data }) };
  return Object.assign(new Error(given.message), { data: all });
}
