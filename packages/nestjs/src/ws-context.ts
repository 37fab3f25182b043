import type { ArgumentsHost } from "@nestjs/common";
import type { Socket } from "@plugboard/server";
import { eventCallIn, type EventCall } from "./event-call.js";

/**
 * The event that a guard, pipe, interceptor, filter or param decorator is at work for.
 *
 * ```ts
 * WsContext.from<Answer>(host).ack({ ok: false });
 * ```
 */
export class WsContext<Answer = unknown> {
  readonly #call: EventCall;

  private constructor(call: EventCall) {
    this.#call = call;
  }

  /**
   * @param host - an `ExecutionContext` or `ArgumentsHost` of an event
   * @throws TypeError where there is none: in requests of HTTP, and in guards at connect
   */
  static from<Answer = unknown>(host: ArgumentsHost): WsContext<Answer> {
    const call = eventCallIn(host.getArgs());
    if (call === undefined) throw new TypeError("there is no event of a socket here");
    return new WsContext<Answer>(call);
  }

  get socket(): Socket {
    return this.#call.socket;
  }

  /** Its name. */
  get event(): string {
    return this.#call.event;
  }

  /** What the client has sent, without the acknowledgement. */
  get args(): readonly unknown[] {
    return this.#call.args;
  }

  /** Whether the client waits for an acknowledgement. */
  get wantsAck(): boolean {
    return this.#call.ack !== undefined;
  }

  /** Answers the acknowledgement, if the client waits for one. The first answer counts: what the handler returns later is dropped. */
  ack(answer: Answer): void {
    this.#call.ack?.(answer);
  }

  /** Tells the client of an error in these words, the way all errors go: by the acknowledgement, or as the event `exception`. */
  fail(answer: Answer): void {
    this.#call.policy.tell(this.#call, answer);
  }
}
