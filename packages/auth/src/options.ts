import type { IncomingMessage } from "node:http";
import type { RefusalCode } from "./refusal.js";
import type { RevocationStore } from "./revocations.js";
import type { TokenCarrier } from "./token-source.js";
import type { Credentials } from "./verified.js";

/** What `verify` may look at besides the token. */
export interface VerifyContext {
  /** Name of the namespace that the client asks for, or is in. */
  readonly namespace: string;
  /** What the client sent as `auth` this time. */
  readonly auth: Readonly<Record<string, unknown>>;
  /** The request that opened the connection. */
  readonly request: IncomingMessage;
  /** Aborted when the time is up: for `fetch` and the like. */
  readonly signal: AbortSignal;
}

/** Credentials that were refused, for a log. */
export interface RefusedCredentials {
  readonly code: RefusalCode;
  /** What `verify` threw, if it did. */
  readonly cause: unknown;
  readonly namespace: string;
  readonly request: IncomingMessage;
}

/** Options of {@link credentials}. */
export interface CredentialsOptions<C extends Credentials> {
  /**
   * Says who has this token. One that returns undefined, throws or rejects refuses it, and the client is told no more than
   * that; throw a `VerifierUnavailableError` when something that it asks is down.
   *
   * @param token - as it was sent, up to `maxTokenLength` chars
   */
  verify(token: string, context: VerifyContext): C | undefined | PromiseLike<C | undefined>;
  /**
   * Finds the token. Default: `auth.token`, then the header `Authorization: Bearer ...`, then the cookie if `cookie` says
   * which. It is asked without headers when credentials are renewed on an open connection, which therefore has to be
   * possible from `auth` alone.
   */
  token?: (carrier: TokenCarrier) => string | undefined;
  /**
   * Name of a cookie that carries the token, decoded from `%` escapes. Browsers send cookies by themselves, so with this
   * the engine's `checkOrigin` is on, unless it was set. Default: none.
   */
  cookie?: string;
  /**
   * Whether a namespace can be joined only with credentials; by a function for each namespace. Where it is false, who sends
   * no token joins without credentials; one that is sent has to be valid all the same. Default: true.
   */
  required?: boolean | ((namespace: string) => boolean);
  /** Milliseconds before the end of credentials at which the client is asked for new ones. Default: 30000; 0 never asks. */
  renewBeforeMs?: number;
  /**
   * What happens when credentials end. `"rehandshake"` closes the connection as if it was lost: clients come back, with new
   * credentials if they have any, and are refused if not. `"disconnect"` ends the socket; the client stays away.
   * Default: "rehandshake".
   */
  onExpiry?: "rehandshake" | "disconnect";
  /** Chars that a token may have; a longer one is refused unread. Default: 8192. */
  maxTokenLength?: number;
  /** Milliseconds that `verify` may take; then it counts as unavailable. Default: 10000. */
  verifyTimeoutMs?: number;
  /**
   * Milliseconds for which a revocation is remembered: the longest that one of your tokens can be valid.
   * Default: 86400000, a day.
   */
  rememberRevokedMs?: number;
  /**
   * Remembers revocations outside of this process, so that they outlive it and reach nodes that start later. When it fails,
   * connecting counts as `verify` being unavailable. Default: none, so each node remembers in memory what it hears of.
   */
  revocations?: RevocationStore;
  /** Told of credentials that were refused. Default: nobody. */
  onRefused?: (refused: RefusedCredentials) => void;
}
