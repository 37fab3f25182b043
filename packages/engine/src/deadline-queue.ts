/**
 * Deadlines of many items behind one timer. All items of one queue wait equally long, so the order of insertion is the
 * order of the deadlines, and adding or removing one is O(1) without a timer of its own.
 *
 * When the delay is shortened at run time, items added before keep their place: they hold up later ones for at most the
 * old delay.
 */
export class DeadlineQueue<Item> {
  readonly #deadlines = new Map<Item, number>();
  readonly #onDue: (item: Item) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onDue: (item: Item) => void) {
    this.#onDue = onDue;
  }

  /** Sets the deadline of an item, in milliseconds from now; an earlier one is forgotten. */
  set(item: Item, delayMs: number): void {
    this.#deadlines.delete(item);
    this.#deadlines.set(item, performance.now() + delayMs);
    this.#timer ??= setTimeout(this.#run, delayMs);
  }

  delete(item: Item): void {
    if (this.#deadlines.delete(item) && this.#deadlines.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [item, deadline] of this.#deadlines) {
      const restMs = deadline - now;
      // A timer may fire a fraction of a millisecond early.
      if (restMs >= 1) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#run, restMs);
        return;
      }
      this.#deadlines.delete(item);
      this.#onDue(item);
    }
  };
}
