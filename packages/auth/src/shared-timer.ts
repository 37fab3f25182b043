/** Between the beginnings of two runs, in milliseconds. What is due meanwhile waits, so nothing is late by more than the longest. */
const LEAST_GAP_MS = 50;
const LONGEST_GAP_MS = 1000;

/** A run that looks at very many may take this part of the time, as long as that holds nobody up for longer than a second. */
const SHARE = 1 / 20;

/** Longest sleep: the clock may be set, and timers know no delay beyond 2^31 ms. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * One timer for the deadlines of many. Who has which deadline is known to `run`, which looks at everybody: nothing has to be
 * registered, nor forgotten to be removed. Deadlines are times of the clock (`Date`). It does not keep the process alive.
 */
export class SharedTimer {
  readonly #run: (now: number) => number;
  #nextAt = Infinity;
  #lastRunAt = -Infinity;
  #gapMs = LEAST_GAP_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param run - does what is due and returns the next deadline, in milliseconds since 1970, or `Infinity` */
  constructor(run: (now: number) => number) {
    this.#run = run;
  }

  /** Something is due at that time. */
  due(at: number): void {
    if (at >= this.#nextAt) return;
    this.#nextAt = at;
    this.#sleep();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#nextAt === Infinity) return;
    const now = Date.now();
    // A clock set back must not make us wait for what it showed once.
    const at = this.#lastRunAt > now ? this.#nextAt : Math.max(this.#nextAt, this.#lastRunAt + this.#gapMs);
    this.#timer = setTimeout(this.#wake, Math.min(Math.max(at - now, 0), LONGEST_SLEEP_MS));
    this.#timer.unref();
  }

  readonly #wake = (): void => {
    const now = Date.now();
    if (now >= this.#nextAt) {
      this.#lastRunAt = now;
      this.#nextAt = Infinity;
      const start = performance.now();
      const next = this.#run(now);
      const took = performance.now() - start;
      this.#gapMs = Math.min(Math.max(took / SHARE, LEAST_GAP_MS), LONGEST_GAP_MS);
      // Meanwhile something may have become due earlier.
      this.#nextAt = Math.min(this.#nextAt, next);
    }
    this.#sleep();
  };
}
