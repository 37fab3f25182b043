import { Logger } from "@nestjs/common";
import type { Counters } from "./counters.js";
import type { EventCall, FailurePolicy } from "./event-call.js";
import { describeError, INTERNAL } from "./error-answers.js";
import type { OwnOptions } from "./options.js";

/** Tells clients of errors: by the acknowledgement if they wait for one, else by the event `exception`. */
export class EventFailures implements FailurePolicy {
  /** Undefined unless somebody wants numbers. */
  counters: Counters | undefined = undefined;
  readonly #options: OwnOptions;
  readonly #logger = new Logger("SocketIo");

  constructor(options: OwnOptions) {
    this.#options = options;
  }

  fail(call: EventCall, error: unknown, hasAnswered: boolean): void {
    if (this.counters !== undefined) this.counters.errors++;
    const { acks, mapHttpExceptions, includeCause } = this.#options;
    const { answer, isInternal } = describeError(error, mapHttpExceptions);
    if (isInternal && !hasAnswered) this.log(error);
    const { socket, event, args, ack } = call;
    const cause = includeCause ? { cause: { pattern: event, data: call.payload } } : undefined;
    const told: unknown = { ...answer, ...cause };
    let formatted = told;
    try {
      formatted = acks.format?.(error, told as typeof answer, { socket, event, args }) ?? told;
    } catch (fault) {
      this.log(fault);
    }
    if (!hasAnswered) this.tell(call, formatted);
    else if (ack !== undefined && acks.errors !== "event") this.#send(formatted, ack);
  }

  tell({ socket, ack }: EventCall, answer: unknown): void {
    const { errors } = this.#options.acks;
    if (ack !== undefined && errors !== "event") this.#send(answer, ack);
    if (ack === undefined || errors === "event" || errors === "both") {
      this.#send(answer, (told) => void socket.emit("exception", told));
    }
    // The error went another way; the acknowledgement is answered nevertheless.
    if (errors === "event") ack?.();
  }

  /** What cannot be sent, such as a circular object, must not keep the client from hearing that it has failed. */
  #send(answer: unknown, send: (answer: unknown) => void): void {
    for (const told of [answer, INTERNAL]) {
      try {
        return send(told);
      } catch (fault) {
        this.log(fault);
      }
    }
  }

  log(error: unknown): void {
    try {
      if (error instanceof Error) this.#logger.error(error.message, error.stack);
      else this.#logger.error(error);
    } catch {
      this.#logger.error("an error that cannot be read");
    }
  }
}
