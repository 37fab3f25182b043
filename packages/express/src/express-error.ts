/** Why the integration cannot do what it was asked for; the message says what to change. */
export type ExpressErrorCode = "SIO_EXPRESS_INVALID_OPTION" | "SIO_EXPRESS_NO_PASSPORT" | "SIO_EXPRESS_NO_SESSION";

/** A mistake in how the integration is used. */
export interface ExpressError extends Error {
  readonly code: ExpressErrorCode;
}

/** @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION` and the message, unless the condition holds */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw expressError("SIO_EXPRESS_INVALID_OPTION", message);
}

/** Whether something is an object of options: no function, no list, no HTTP server. */
export function isOptions(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("emit" in value);
}

export function expressError(code: ExpressErrorCode, message: string, cause?: unknown): ExpressError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "ExpressError", code });
}
