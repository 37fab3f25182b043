import { captureRejectionSymbol, EventEmitter } from "node:events";

/** Gets what a listener of the user threw or rejected with. */
export type ListenerErrorReport = (event: string | symbol, error: unknown) => void;

/**
 * An emitter whose listeners cannot reach the code that emits: what they throw or reject with goes to one place.
 */
export class ContainedEmitter extends EventEmitter {
  readonly #report: ListenerErrorReport;

  constructor(report: ListenerErrorReport) {
    super({ captureRejections: true });
    this.#report = report;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    try {
      return super.emit(event, ...args);
    } catch (error) {
      this.#report(event, error);
      return true;
    }
  }

  /** Called with what a listener that returned a promise rejected with. */
  onListenerRejection(event: string | symbol, error: unknown): void {
    this.#report(event, error);
  }
}

// Not as a member: declaration files cannot hold a computed name.
Object.defineProperty(ContainedEmitter.prototype, captureRejectionSymbol, {
  value(this: ContainedEmitter, error: unknown, event: string | symbol) {
    this.onListenerRejection(event, error);
  },
});
