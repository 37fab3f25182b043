import type { ErrorAnswer } from "@plugboard/server";
import type { AnyNamespace, AnyServer, AnySocket } from "./any-socket.js";
import { EventLimit } from "./event-limit.js";
import { Limit, type LimiterErrorPolicy } from "./limit.js";
import type { RateRule } from "./limiter.js";
import { tooManyEvents } from "./rate-limit-error.js";
import type { SocketKey } from "./socket-key.js";

/** See {@link limitEvents}. */
export type EventLimitOptions = RateRule & {
  /**
   * Whom an event counts for: the socket; the user, which is `socket.credentials.user` (`@plugboard/auth`) or else
   * `socket.data.user.id`, or the address where there is neither; the address of the connection; or what a function says. Default: `"socket"`.
   */
  by?: SocketKey;
  /** Rules for events of these names; such an event counts for its rule and for the general one. Default: none. */
  events?: Readonly<Record<string, RateRule>>;
  /**
   * What becomes of an event beyond a limit: it is refused, or its connection is closed too, and stock clients stay away.
   * Default: `"refuse"`.
   */
  onLimit?: "refuse" | "disconnect";
  /** What becomes of an event when a limiter fails or does not answer within a second. Default: `"allow"`. */
  onLimiterError?: LimiterErrorPolicy;
};

/**
 * Limits the events that clients send, in all namespaces of a server or in one, to sockets that connect from now on. Events
 * are heard in the order in which they were sent, however long the limiter takes.
 *
 * One that is refused reaches no middleware added later and no listener, except those of `onAny`. A client that waits for
 * an answer gets `{ status: "error", code: "SIO_RATE_LIMITED", message, data: { retryAfterMs } }`; the server hears an
 * `error` event of the socket, with the same code and data.
 *
 * @throws RangeError with code `SIO_INVALID_LIMIT` when points or duration of a rule are out of bounds
 */
export function limitEvents(target: AnyServer | AnyNamespace, options: EventLimitOptions): void {
  const { by = "socket", onLimit, onLimiterError } = options;
  const general = [new Limit(options, onLimiterError)];
  const special = new Map<string, readonly Limit[]>();
  for (const [event, rule] of Object.entries(options.events ?? {})) {
    special.set(event, [...general, new Limit(rule, onLimiterError)]);
  }

  const watch = (socket: AnySocket): void => {
    const limit = new EventLimit(socket, by);
    socket.use((event, next) => {
      // A number as name is heard by the listeners of its text.
      limit.decide(special.get(String(event[0])) ?? general, (excess) => {
        if (excess === undefined) return next();
        // What it sent before it was sent away.
        if (socket.disconnected) return;
        const error = tooManyEvents(excess);
        const { code, message, data } = error;
        // Without it the event counts as one that nobody waits for, so that the server hears of it in every case.
        const ack = typeof event.at(-1) === "function" ? (event.pop() as (answer: ErrorAnswer) => void) : undefined;
        ack?.({ status: "error", code, message, data });
        next(error);
        if (onLimit === "disconnect") socket.disconnect(true);
      });
    });
  };

  if ("useAlways" in target) {
    target.useAlways((socket, next) => {
      watch(socket);
      next();
    });
  } else {
    // Comes before `connection`, where programs add middlewares of their own; for recovered sockets too.
    target.on("connect", watch);
  }
}
