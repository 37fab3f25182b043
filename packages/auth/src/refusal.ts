import { EventError } from "@plugboard/server";

/** Why credentials were refused. The client reads it in `connect_error`, as `error.data.code`. */
export type RefusalCode =
  /** None were given, or they are not valid. */
  | "SIO_UNAUTHORIZED"
  | "SIO_CREDENTIALS_EXPIRED"
  | "SIO_CREDENTIALS_REVOKED"
  /** Those sent to renew others are of another user. */
  | "SIO_FORBIDDEN";

const MESSAGES: Readonly<Record<RefusalCode, string>> = {
  SIO_UNAUTHORIZED: "valid credentials are required",
  SIO_CREDENTIALS_EXPIRED: "the credentials have expired",
  SIO_CREDENTIALS_REVOKED: "the credentials have been revoked",
  SIO_FORBIDDEN: "the credentials are those of another user",
};

/**
 * What a client is told: a code and its fixed message, nothing of what `verify` said.
 */
export class RefusalError extends EventError {
  declare readonly code: RefusalCode;

  /** @param cause - stays on the server */
  constructor(code: RefusalCode, cause?: unknown) {
    super(code, MESSAGES[code], { code }, { cause });
  }
}

/**
 * To be thrown by `verify` when it cannot tell, because something that it asks is down: the connection is closed as if it
 * was lost, so clients try again by themselves, where a refusal would keep them away.
 */
export class VerifierUnavailableError extends Error {
  override readonly name = "VerifierUnavailableError";
  readonly code = "SIO_VERIFIER_UNAVAILABLE";
}

/** By its code: the error may come from another copy of this package. */
export function isUnavailable(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === "SIO_VERIFIER_UNAVAILABLE";
}

/** Codes and names of what libraries for tokens throw at a genuine token that has expired: jose, fast-jwt, jsonwebtoken. */
const EXPIRED: ReadonlySet<unknown> = new Set(["ERR_JWT_EXPIRED", "FAST_JWT_EXPIRED", "TokenExpiredError"]);

/** What `verify` threw, as a refusal. Clients do well to know that new credentials will do. */
export function refusalFor(error: unknown): RefusalError {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return new RefusalError(
    EXPIRED.has(code) || EXPIRED.has(name) ? "SIO_CREDENTIALS_EXPIRED" : "SIO_UNAUTHORIZED",
    error,
  );
}
