/** Why the integration cannot do what it was asked for; the message says what to change. */
export type NestjsErrorCode =
  | "SIO_NESTJS_CONFLICTING_OPTIONS"
  | "SIO_NESTJS_INVALID_OPTION"
  | "SIO_NESTJS_NO_ADAPTER"
  | "SIO_NESTJS_NO_HTTP_SERVER"
  | "SIO_NESTJS_TWO_ADAPTERS";

/** A mistake in how the integration is used, found while the application starts. */
export interface NestjsError extends Error {
  readonly code: NestjsErrorCode;
}

export function nestjsError(code: NestjsErrorCode, message: string, cause?: unknown): NestjsError {
  // Nest prints message and stack of what ends a start, and no properties.
  const error = new Error(`${message} (${code})`, cause === undefined ? undefined : { cause });
  return Object.assign(error, { name: "NestjsError", code });
}

export function invalidOption(message: string): NestjsError {
  return nestjsError("SIO_NESTJS_INVALID_OPTION", message);
}
