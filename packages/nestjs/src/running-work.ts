/** Counts what is going on and holds nothing of it: what never ends is let go with the client it was for. */
export class RunningWork {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Counts this until it settles. */
  add(work: PromiseLike<unknown>): void {
    this.#count++;
    const done = (): void => this.#settled();
    work.then(done, done);
  }

  /** Resolves once nothing is going on, or after this time. */
  async idle(timeoutMs: number): Promise<void> {
    if (this.#count === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(resolve);
    });
    clearTimeout(timer);
  }

  #settled(): void {
    if (--this.#count > 0) return;
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
