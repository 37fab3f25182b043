import type { Socket } from "@plugboard/server";

/** Answers an acknowledgement; only the first call counts. */
export type Ack = (...args: unknown[]) => void;

/** What becomes of the errors of an event. */
export interface FailurePolicy {
  /** Tells the client. `hasAnswered`: a filter of the user has told it without an acknowledgement. */
  fail(call: EventCall, error: unknown, hasAnswered: boolean): void;
  /** Tells the client in these words. */
  tell(call: EventCall, answer: unknown): void;
}

/**
 * One event on its way through Nest. It is handed to Nest as an argument behind payload and acknowledgement, so that our filter
 * and our decorators find it in `getArgs()` of the execution context: no asynchronous context has to be kept for it.
 */
export class EventCall {
  readonly socket: Socket;
  readonly event: string;
  /** Without the acknowledgement. A contract replaces them by what its schema makes of them. */
  args: readonly unknown[];
  readonly ack: Ack | undefined;
  /** Answers it with what a handler gives, which a contract validates; errors go to `ack`. */
  reply: Ack | undefined;
  readonly policy: FailurePolicy;
  /** Whether a handler or a filter has taken the acknowledgement, to answer it when it likes. */
  isAckTaken = false;

  constructor(socket: Socket, event: string, args: readonly unknown[], ack: Ack | undefined, policy: FailurePolicy) {
    this.socket = socket;
    this.event = event;
    this.args = args;
    this.ack = ack;
    this.reply = ack;
    this.policy = policy;
  }

  /** In the words of Nest: what several arguments are is one array. */
  get payload(): unknown {
    return this.args.length > 1 ? this.args : this.args[0];
  }

  fail(error: unknown, hasAnswered: boolean = false): void {
    this.policy.fail(this, error, hasAnswered);
  }
}

/** @param args - of an execution context: socket, payload, acknowledgement, call, pattern */
export function eventCallIn(args: readonly unknown[]): EventCall | undefined {
  return args[3] instanceof EventCall ? args[3] : undefined;
}
