/** Why the integration cannot do what it was asked for; the message says what to change. */
export type ExpressErrorCode = "SIO_EXPRESS_INVALID_OPTION" | "SIO_EXPRESS_NO_PASSPORT" | "SIO_EXPRESS_NO_SESSION";

/** A mistake in how the integration is used. */
export interface ExpressError extends Error {
  readonly code: ExpressErrorCode;
}

export function expressError(code: ExpressErrorCode, message: string, cause?: unknown): ExpressError {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "ExpressError", code });
}
