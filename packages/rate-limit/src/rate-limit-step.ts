import type { EventContext } from "@plugboard/server";
import type { AnySocket } from "./any-socket.js";
import { EventLimit } from "./event-limit.js";
import { Limit, type LimiterErrorPolicy } from "./limit.js";
import type { RateRule } from "./limiter.js";
import { tooManyEvents } from "./rate-limit-error.js";
import type { SocketKey } from "./socket-key.js";

/** See {@link rateLimit}. */
export type RateLimitOptions = RateRule & {
  /** Whom an event counts for, as in `limitEvents`. Default: `"socket"`. */
  by?: SocketKey;
  /** What becomes of an event when the limiter fails or does not answer within a second. Default: `"allow"`. */
  onLimiterError?: LimiterErrorPolicy;
};

/**
 * A step of `socket.handle(event, ...steps, handler)` that limits how often the handler is called. All events whose handlers
 * share a step share its points: make the step once, outside the listener of `connection`.
 *
 * An event beyond the limit is answered with `{ status: "error", code: "SIO_RATE_LIMITED", message, data: { retryAfterMs } }`.
 * The events of one step go on in the order in which they came.
 *
 * @throws RangeError with code `SIO_INVALID_LIMIT` when points or duration are out of bounds
 */
export function rateLimit(options: RateLimitOptions): (context: EventContext) => Promise<void> {
  const { by = "socket" } = options;
  const limits = [new Limit(options, options.onLimiterError)];
  const watched = new WeakMap<object, EventLimit>();
  const limitOf = (socket: AnySocket): EventLimit => {
    const limit = watched.get(socket) ?? new EventLimit(socket, by);
    watched.set(socket, limit);
    return limit;
  };
  return ({ socket }) =>
    new Promise((resolve, reject) => {
      limitOf(socket).decide(limits, (excess) => (excess === undefined ? resolve() : reject(tooManyEvents(excess))));
    });
}
