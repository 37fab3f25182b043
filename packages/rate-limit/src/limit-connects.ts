import type { AnySocket } from "./any-socket.js";
import { Limit, type LimiterErrorPolicy } from "./limit.js";
import type { RateRule } from "./limiter.js";
import { RATE_LIMITED } from "./rate-limit-error.js";
import { keyOfSocket, type SocketKey } from "./socket-key.js";

/** See {@link limitConnects}. */
export type ConnectLimitOptions = RateRule & {
  /**
   * Whom a socket counts for: the address of its connection; the user, which is `socket.credentials.user` (`@plugboard/auth`) or else
   * `socket.data.user.id`, as middlewares before this one have set it, or the address where there is neither; or what a
   * function says. Default: `"address"`.
   */
  by?: Exclude<SocketKey, "socket">;
  /** What becomes of a socket when the limiter fails or does not answer within a second. Default: `"allow"`. */
  onLimiterError?: LimiterErrorPolicy;
};

/**
 * A middleware, for `io.use` and `namespace.use`, that limits how often sockets join. One beyond the limit gets a
 * `connect_error` whose `data` is `{ code: "SIO_RATE_LIMITED", retryAfterMs }`; stock clients do not try again by themselves.
 *
 * @throws RangeError with code `SIO_INVALID_LIMIT` when points or duration are out of bounds
 */
export function limitConnects(
  options: ConnectLimitOptions,
): (socket: AnySocket, next: (error?: Error) => void) => Promise<void> {
  const { by = "address" } = options;
  const limit = new Limit(options, options.onLimiterError);
  return async (socket, next) => {
    const excess = await limit.check(() => keyOfSocket(by, socket), socket.nsp.server, socket);
    if (excess === undefined) return next();
    const { retryAfterMs } = excess;
    next(Object.assign(new Error("Too many connections"), { data: { code: RATE_LIMITED, retryAfterMs } }));
  };
}
