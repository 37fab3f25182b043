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

/** The socket whose client is asked. */
export interface AckOwner {
  readonly acks: Map<number, Callback>;
}

/** The error an ack callback gets when nobody answered in time (spec/server.md 3.6). */
export function ackTimeoutError(): Error {
  return new Error("operation has timed out");
}

/**
 * Files a callback for the answer to one packet. With a timeout it is called exactly once, be it that the answer comes,
 * comes too late, or never since the socket is gone.
 *
 * @returns takes the entry back as if nothing had been asked
 */
export function fileAck(socket: AckOwner, guard: ListenerGuard, request: AckRequest): () => void {
  const { id, ack, timeoutMs, event } = request;
  const { acks } = socket;
  if (timeoutMs === undefined) {
    acks.set(id, (...args) => guard.call(ack, socket, [event, ...args], socket));
    return () => void acks.delete(id);
  }
  let answered = false;
  const answer = (error: Error | null, args: unknown[]): void => {
    if (answered) return;
    answered = true;
    clearTimeout(timer);
    acks.delete(id);
    guard.call(ack, socket, [event, error, ...args], socket);
  };
  const timer = setTimeout(() => answer(ackTimeoutError(), []), timeoutMs);
  // While a client can answer, its connection keeps the process alive. Nobody waits for the answer of a closed server.
  timer.unref();
  acks.set(id, (...args) => answer(null, args));
  return () => {
    clearTimeout(timer);
    acks.delete(id);
  };
}
