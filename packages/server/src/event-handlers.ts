import {
  errorAnswer,
  EventError,
  isErrorAnswer,
  isEventError,
  parse,
  type ErrorAnswer,
  type StandardSchema,
} from "@plugboard/contract";
import type {
  Callback,
  ErrorHook,
  EventContext,
  EventHandler,
  EventStep,
  EventSubject,
  HandledEvent,
} from "./event-parts.js";
import { isThenable } from "./thenable.js";

/** A handler that takes too long is answered for, in its place. */
export const DEFAULT_HANDLER_TIMEOUT_MS = 30_000;
/** Longest time that timers of Node can wait: with a longer one, such as `Infinity`, they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Handlers of one socket that may be at work at the same time: each holds what it was given, and most a timer. */
const MAX_RUNNING_HANDLERS = 1000;

function tooManyHandled(): EventError {
  return new EventError("SIO_TOO_MANY_EVENTS", "Too many events are being handled");
}

type Step = (context: EventContext) => unknown;

/**
 * Makes a handler whose return value is the acknowledgement. Everything stays synchronous as long as steps and handler
 * are, and an acknowledgement is answered in every case: with the value, with nothing, or with `{ status: "error", code,
 * message, data? }` when a step or the handler throws, rejects or takes too long.
 *
 * @param steps - run in order before the handler; a Standard Schema replaces the first argument by what it makes of it
 */
function handledEvent(steps: readonly EventStep[], handler: EventHandler): HandledEvent {
  if (typeof handler !== "function") throw new TypeError("the last argument has to be the handler");
  const work = steps.map(stepOf);
  return {
    run(socket, event) {
      const last = event.at(-1);
      const ack = event.length > 1 && typeof last === "function" ? (last as Callback) : undefined;
      const context: EventContext = {
        socket,
        event: event[0] as string,
        args: event.slice(1, ack && -1),
        wantsAck: ack !== undefined,
      };
      const settlement = new Settlement(socket, context, ack);
      if (socket._runningHandlers >= MAX_RUNNING_HANDLERS) return settlement.fail(tooManyHandled());
      let result: unknown;
      try {
        result = work.length === 0 ? handler(context.args[0], context) : runFrom(0, work, handler, context);
      } catch (error) {
        return settlement.inTime(settlement.fail(error));
      }
      return settlement.inTime(isThenable(result) ? settlement.await(result) : settlement.succeed(result));
    },
  };
}

/**
 * Registers the handler of an event: one, for its return value is the acknowledgement.
 *
 * @param stepsAndHandler - the handler is the last
 * @throws EventError with code `SIO_DUPLICATE_HANDLER`
 */
export function addHandler(handled: Map<unknown, HandledEvent>, event: string, stepsAndHandler: unknown[]): void {
  if (handled.has(event)) throw new EventError("SIO_DUPLICATE_HANDLER", `"${event}" has a handler already`);
  const handler = stepsAndHandler.at(-1) as EventHandler;
  handled.set(event, handledEvent(stepsAndHandler.slice(0, -1) as EventStep[], handler));
}

/** What a client reads of an event that a middleware refused: what was said for it to read, nothing else. */
export function refusalAnswer(error: unknown): ErrorAnswer {
  const isForClient = isEventError(error) || isErrorAnswer(error);
  return errorAnswer(isForClient ? error : new EventError("SIO_FORBIDDEN", "The event was refused"));
}

function stepOf(step: EventStep): Step {
  // Some libraries make schemas that are functions.
  const schema = step as Partial<StandardSchema>;
  if (schema["~standard"] !== undefined) return schemaStep(schema as StandardSchema);
  if (typeof step === "function") return step;
  throw new TypeError("a step has to be a function or a Standard Schema");
}

function schemaStep(schema: StandardSchema): Step {
  return ({ args }) => {
    const output: unknown = parse(schema, args[0]);
    if (!isThenable(output)) args[0] = output;
    else return output.then((value) => void (args[0] = value));
    return undefined;
  };
}

function runFrom(index: number, steps: readonly Step[], handler: EventHandler, context: EventContext): unknown {
  for (let i = index; i < steps.length; i++) {
    const result = steps[i]!(context);
    if (isThenable(result)) return result.then(() => runFrom(i + 1, steps, handler, context));
  }
  return handler(context.args[0], context);
}

/** Ends one event: its acknowledgement is answered once, whatever happens. Each method returns what is still going on. */
class Settlement {
  readonly #socket: EventSubject;
  readonly #context: EventContext;
  readonly #ack: Callback | undefined;

  constructor(socket: EventSubject, context: EventContext, ack: Callback | undefined) {
    this.#socket = socket;
    this.#context = context;
    this.#ack = ack;
  }

  succeed(result: unknown): PromiseLike<unknown> | undefined {
    try {
      if (result === undefined) this.#ack?.();
      else this.#ack?.(result);
    } catch (error) {
      // It cannot be sent.
      return this.fail(error);
    }
    return undefined;
  }

  await(result: PromiseLike<unknown>): PromiseLike<unknown> {
    return result.then(
      (value) => this.succeed(value),
      (error: unknown) => this.fail(error),
    );
  }

  /** Counts what is still going on, hooks included, and answers for it when it takes too long. */
  inTime(work: PromiseLike<unknown> | undefined): PromiseLike<unknown> | undefined {
    if (work === undefined) return undefined;
    const socket = this.#socket;
    const { _handlerTimeoutMs: timeoutMs } = socket.server;
    const isLimited = this.#ack !== undefined && timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS;
    const timer = isLimited ? setTimeout(() => this.#onTimeout(timeoutMs), timeoutMs) : undefined;
    // What keeps the process alive is the connection of the client, if anything.
    timer?.unref();
    socket._runningHandlers++;
    const end = (): void => {
      clearTimeout(timer);
      socket._runningHandlers--;
    };
    return work.then(end, (error: unknown) => {
      end();
      throw error;
    });
  }

  /** No hook is asked: it may be what takes so long. */
  #onTimeout(timeoutMs: number): void {
    const { event } = this.#context;
    this.#report(new EventError("SIO_HANDLER_TIMEOUT", `"${event}" took longer than ${timeoutMs} ms`));
    this.#tell(new EventError("SIO_HANDLER_TIMEOUT", `"${event}" took too long`));
  }

  fail(error: unknown): PromiseLike<unknown> | undefined {
    const hooks = this.#socket.server._errorHooks;
    if (hooks.length === 0) return void this.#tell(error);
    return mapError(hooks, error, this.#context).then((mapped) => this.#tell(mapped));
  }

  /** An error that is meant for the client is no news to anybody else, unless the client does not wait for an answer. */
  #tell(error: unknown): void {
    const isForClient = isErrorAnswer(error) || isEventError(error);
    if (!isForClient) this.#report(error);
    if (this.#ack === undefined) {
      if (isForClient) this.#socket._onerror(error);
      return;
    }
    try {
      this.#ack(errorAnswer(error));
    } catch (fault) {
      // Its data cannot be sent.
      this.#report(fault);
      this.#ack(errorAnswer(fault));
    }
  }

  /** Without the acknowledgement, which is answered here. */
  #report(error: unknown): void {
    const { event, args } = this.#context;
    this.#socket.server._guard.tell({ socket: this.#socket, event, args, ack: undefined, error });
  }
}

async function mapError(hooks: readonly ErrorHook[], error: unknown, context: EventContext): Promise<unknown> {
  let mapped = error;
  for (const hook of hooks) {
    try {
      mapped = (await hook(mapped, context)) ?? mapped;
    } catch (thrown) {
      mapped = thrown;
    }
  }
  return mapped;
}
