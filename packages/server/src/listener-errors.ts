import type { EventEmitter } from "node:events";
import type { ListenerFailure } from "./options.js";
import { isThenable } from "./thenable.js";

type Callback = (...args: unknown[]) => unknown;

export interface ListenerGuardOptions {
  readonly compat?: boolean | undefined;
  readonly onListenerError?: ((failure: ListenerFailure) => void) | undefined;
}

/**
 * The one place that runs code of the user: what it throws or rejects with ends here, so that a listener can neither
 * take the process down nor reach the transport that carried the packet. It also counts what is still running, so that
 * a server can wait for it before it closes.
 *
 * Listeners are called by us instead of by `EventEmitter.emit` because that hides what they return. Measured, it is
 * as fast: one array of listeners instead of one of arguments.
 */
export class ListenerGuard {
  readonly #options: ListenerGuardOptions;
  #running = 0;
  #waiting: (() => void)[] = [];

  /** @param options - read when something fails, so they may change at run time */
  constructor(options: ListenerGuardOptions) {
    this.#options = options;
  }

  /**
   * Calls each listener of an event with what follows the name in `event`. One that fails does not keep the others
   * from being called.
   *
   * @param event - `[name, ...args]`
   * @param socket - whom it is about
   */
  deliver(emitter: EventEmitter, event: unknown[], socket?: unknown): void {
    const listeners = emitter.rawListeners(event[0] as string) as Callback[];
    for (let i = 0; i < listeners.length; i++) this.call(listeners[i]!, emitter, event, socket);
  }

  /** Calls one listener; parameters as in {@link deliver}. */
  call(listener: Callback, self: unknown, event: unknown[], socket?: unknown): void {
    try {
      const result = applyTail(listener, self, event);
      if (isThenable(result)) this.watch(result, event, socket);
    } catch (error) {
      this.report(event, socket, error);
    }
  }

  /** Calls a catch-all listener, which gets the name of the event too. */
  callWithName(listener: Callback, self: unknown, event: unknown[], socket?: unknown): void {
    try {
      const result = Reflect.apply(listener, self, event);
      if (isThenable(result)) this.watch(result, event, socket);
    } catch (error) {
      this.report(event, socket, error);
    }
  }

  /**
   * Resolves once no listener is running, or after `timeoutMs`.
   *
   * @returns whether none is running any more
   */
  async idle(timeoutMs: number): Promise<boolean> {
    if (this.#running > 0 && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#running === 0;
  }

  /** Counts something as running until it settles, and reports what it rejects with; parameters as in {@link deliver}. */
  watch(promise: PromiseLike<unknown>, event: unknown[], socket: unknown): void {
    this.#running++;
    promise.then(
      () => this.#settled(),
      (error: unknown) => {
        this.#settled();
        this.report(event, socket, error);
      },
    );
  }

  #settled(): void {
    if (--this.#running > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Reports an error that was caught elsewhere. */
  report(event: unknown[], socket: unknown, error: unknown): void {
    if (this.#options.compat) {
      process.nextTick(() => {
        throw error;
      });
      return;
    }
    const last = event.at(-1);
    const ack = event.length > 1 && typeof last === "function" ? (last as (...args: unknown[]) => void) : undefined;
    const name = typeof event[0] === "symbol" ? event[0] : String(event[0]);
    this.tell({ socket, event: name, args: event.slice(1, ack && -1), ack, error });
  }

  /** Reports what is no listener's: it does not end the process with `compat` either. */
  tell(failure: ListenerFailure): void {
    const { event: name, error } = failure;
    const handler = this.#options.onListenerError;
    if (handler === undefined) return print(name, error);
    try {
      handler(failure);
    } catch (handlerError) {
      print(name, error);
      print("onListenerError", handlerError);
    }
  }
}

/** `listener.call(self, ...event.slice(1))`, without the array for the common lengths. */
function applyTail(listener: Callback, self: unknown, event: unknown[]): unknown {
  switch (event.length) {
    case 0:
    case 1:
      return listener.call(self);
    case 2:
      return listener.call(self, event[1]);
    case 3:
      return listener.call(self, event[1], event[2]);
    case 4:
      return listener.call(self, event[1], event[2], event[3]);
    default:
      return Reflect.apply(listener, self, event.slice(1));
  }
}

function print(name: string | symbol, error: unknown): void {
  console.error(`[plugboard] a listener of "${String(name)}" failed:`, error);
}
