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
  #timerDue = 0;
  /** The deadline at which the timer fired last: it is at least so late, also where fake timers run and the clock stands still. */
  #reached = 0;

  constructor(onDue: (item: Item) => void) {
    this.#onDue = onDue;
  }

  /** Sets the deadline of an item, in milliseconds from now; an earlier one is forgotten. */
  set(item: Item, delayMs: number): void {
    this.#deadlines.delete(item);
    const deadline = this.#now() + delayMs;
    this.#deadlines.set(item, deadline);
    if (this.#timer === undefined) this.#startTimer(deadline, delayMs);
  }

  delete(item: Item): void {
    if (this.#deadlines.delete(item) && this.#deadlines.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #now(): number {
    return Math.max(performance.now(), this.#reached);
  }

  #startTimer(due: number, delayMs: number): void {
    this.#timerDue = due;
    this.#timer = setTimeout(this.#run, delayMs);
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    this.#reached = this.#timerDue;
    const now = this.#now();
    for (const [item, deadline] of this.#deadlines) {
      const restMs = deadline - now;
      // What is due within the millisecond is not worth a timer.
      if (restMs >= 1) {
        clearTimeout(this.#timer);
        this.#startTimer(deadline, restMs);
        return;
      }
      this.#deadlines.delete(item);
      this.#onDue(item);
    }
  };
}
