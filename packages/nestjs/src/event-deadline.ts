import type { Ack } from "./event-call.js";

/** Longest time that timers of Node can wait: with a longer one they fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** The server's own default for its option `handlerTimeout`. */
export const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;

/** Watches over an acknowledgement that somebody else is to answer in time. */
export class EventDeadline {
  /** Answers it, and ends the watch. */
  readonly ack: Ack;
  isOver = false;

  /** @param onOver - called when the time is over and nobody has answered */
  constructor(ack: Ack, timeoutMs: number, onOver: () => void) {
    const timer = setTimeout(() => {
      this.isOver = true;
      onOver();
    }, timeoutMs);
    // What keeps the process alive is the connection of the client, if anything.
    timer.unref();
    this.ack = (...answer) => {
      ack(...answer);
      // Not before: an answer that cannot be sent is none.
      clearTimeout(timer);
    };
  }
}
