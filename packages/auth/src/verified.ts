/**
 * Who a client is, as `verify` tells. To have more of it on `socket.credentials`, such as roles, add members:
 * `declare module "@plugboard/auth" { interface Credentials { role: string } }`.
 */
export interface Credentials {
  /** Id of the user, or of the program. Never empty. */
  readonly user: string;
  /** Id of the token, as `jti` of a JWT: to revoke this one. */
  readonly tokenId?: string | undefined;
  /** Id of the session that the token belongs to, as `sid` of a JWT: to revoke all its tokens. */
  readonly session?: string | undefined;
  /** When the token was issued, in milliseconds since 1970. Without it, no token of a revoked user gets in for a while. */
  readonly issuedAt?: number | undefined;
  /** When they end, in milliseconds since 1970. Default: never. */
  readonly expiresAt?: number | undefined;
}

/** Seconds since 1970 are less than that until the year 5138, milliseconds more since 1973. */
const LARGEST_SECONDS = 100_000_000_000;

/**
 * A frozen copy of what `verify` gave.
 *
 * @throws TypeError when it is not what {@link Credentials} says
 */
export function checkCredentials<C extends Credentials>(given: C): C {
  const { user, tokenId, session, issuedAt, expiresAt } = given as { readonly [name in keyof Credentials]?: unknown };
  if (typeof user !== "string" || user === "") throw new TypeError("user must be a string that is not empty");
  checkId("tokenId", tokenId);
  checkId("session", session);
  checkTime("issuedAt", issuedAt);
  checkTime("expiresAt", expiresAt);
  return Object.freeze({ ...given });
}

function checkId(name: string, id: unknown): void {
  if (id !== undefined && (typeof id !== "string" || id === ""))
    throw new TypeError(`${name} must be a string or missing`);
}

function checkTime(name: string, time: unknown): void {
  if (time === undefined) return;
  if (typeof time !== "number" || !Number.isFinite(time)) throw new TypeError(`${name} must be a number or missing`);
  if (time < LARGEST_SECONDS) throw new TypeError(`${name} is in milliseconds since 1970, not in seconds`);
}
