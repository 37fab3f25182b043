import { EventEmitter } from "node:events";

/** Gets what a listener of the user threw or rejected with. */
export type ListenerErrorReport = (event: string | symbol, error: unknown) => void;

/**
 * An emitter whose listeners can neither reach the code that emits nor keep each other from being called: what they
 * throw or reject with goes to one place.
 */
export class ContainedEmitter extends EventEmitter {
  readonly #report: ListenerErrorReport;

  constructor(report: ListenerErrorReport) {
    super();
    this.#report = report;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const listeners = this.rawListeners(event);
    for (const listener of listeners) {
      try {
        const result = Reflect.apply(listener, this, args) as PromiseLike<unknown> | null | undefined;
        if (typeof result?.then === "function") result.then(undefined, (error) => this.#report(event, error));
      } catch (error) {
        this.#report(event, error);
      }
    }
    return listeners.length > 0;
  }
}
