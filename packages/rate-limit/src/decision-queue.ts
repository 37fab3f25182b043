/**
 * Acts upon decisions in the order in which they were asked for, whenever they come in. They are made at the same time,
 * so that a socket does not wait for one round trip to a database after the other.
 */
export class DecisionQueue<Decision> {
  /** Settled when the last one is; there only while one is open. */
  #last: Promise<void> | undefined = undefined;
  #length = 0;

  /** How many decisions are open. */
  get length(): number {
    return this.#length;
  }

  /**
   * @param decision - must not reject
   * @param act - gets it when those before have been acted upon; must not throw
   */
  add(decision: Promise<Decision>, act: (decision: Decision) => void): void {
    this.#length++;
    this.#last = this.#settle(this.#last, decision, act);
  }

  async #settle(
    before: Promise<void> | undefined,
    decision: Promise<Decision>,
    act: (decision: Decision) => void,
  ): Promise<void> {
    const decided = await decision;
    await before;
    if (--this.#length === 0) this.#last = undefined;
    act(decided);
  }
}
