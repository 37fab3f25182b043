/** Something that has gathered output in this turn of the event loop and writes it at its end. */
export interface Flushable {
  flush(): void;
}

/**
 * Runs `flush` of everything that was scheduled, once per turn: what a socket sends in one turn leaves as one write.
 * A lone packet waits for no timer, only for the code that is running to come to its end.
 */
export class EndOfTurn {
  #waiting: Flushable[] = [];
  readonly #run = (): void => {
    const batch = this.#waiting;
    this.#waiting = [];
    for (const item of batch) {
      try {
        item.flush();
      } catch (error) {
        // A fault of ours must show, but not keep the others from writing.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };

  schedule(item: Flushable): void {
    if (this.#waiting.push(item) === 1) process.nextTick(this.#run);
  }
}
