import type { ExtendedError } from "@plugboard/server";

/** What a client gets to know of an error by which it was refused: the message, and as `data` its code, status and data. */
export function connectError(error: unknown): ExtendedError {
  const given = error instanceof Error ? error : new Error(String(error));
  const {
    code,
    status,
    statusCode = status,
    data,
  } = given as Partial<Record<"code" | "status" | "statusCode" | "data", unknown>>;
  if (code === undefined && statusCode === undefined) return given;
  const isRecord = typeof data === "object" && data !== null && !Array.isArray(data);
  const all = {
    ...(code !== undefined && { code }),
    ...(statusCode !== undefined && { status: statusCode }),
    ...(isRecord ? data : data !== undefined && { data }),
  };
  return Object.assign(new Error(given.message), { data: all });
}
