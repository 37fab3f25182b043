import type { ListenerGuard } from "./listener-errors.js";
import type { Callback } from "./parts.js";

export interface AckRequest {
  /** Packet id. */
  readonly id: number;
  /** Callback of the user: `(...args)`, or `(error, ...args)` with a timeout. */
  readonly ack: Callback;
  /** Milliseconds; undefined waits for ever. */
  readonly timeoutMs: number | undefined;
  /** Name of the event, for the report of a failing callback. */
  readonly event: unknown;
}

/** The error an ack callback gets when nobody answered in time (spec/server.md 3.6). */
export function ackTimeoutError(): Error {
  return new Error("operation has timed out");
}

/**
 * Files a callback for the answer to one packet. With a timeout it is called exactly once, be it that the entry is
 * answered, dropped with the socket, or answered too late.
 *
 * @returns takes the entry back as if nothing had been asked
 */
export function fileAck(acks: Map<number, Callback>, guard: ListenerGuard, request: AckRequest): () => void {
  const { id, ack, timeoutMs, event } = request;
  if (timeoutMs === undefined) {
    acks.set(id, ack);
    return () => void acks.delete(id);
  }
  const timer = setTimeout(() => {
    acks.delete(id);
    guard.call(ack, undefined, [event, ackTimeoutError()]);
  }, timeoutMs);
  acks.set(id, (...args) => {
    clearTimeout(timer);
    guard.call(ack, undefined, [event, null, ...args]);
  });
  return () => {
    clearTimeout(timer);
    acks.delete(id);
  };
}
