import { holdings, type Change, type Holding } from "./holding.js";
import { copyOf, replaceData, type JsonData } from "./json-data.js";
import type { Turn, Turns } from "./turns.js";

/** The copy of a session's data that a change works on. */
export class Draft implements Holding {
  readonly turns: Turns;
  readonly id: string;
  readonly parent: Holding | undefined;
  readonly data: JsonData;
  readonly #turn: Turn;
  #done = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param turn - within which it is worked on */
  constructor(turns: Turns, turn: Turn, id: string, data: JsonData) {
    this.turns = turns;
    this.#turn = turn;
    this.id = id;
    this.parent = holdings.getStore();
    this.data = data;
  }

  get open(): boolean {
    return !this.#done && !this.#turn.over;
  }

  /** Lets a change work on it, and whatever that calls. */
  async run(change: Change): Promise<void> {
    try {
      await holdings.run(this, () => change(this.data));
    } finally {
      this.#done = true;
    }
  }

  apply(change: Change): Promise<JsonData> {
    const done = this.#last.then(() => this.#apply(change));
    this.#last = done.catch(() => {});
    return done;
  }

  async #apply(change: Change): Promise<JsonData> {
    const inner = new Draft(this.turns, this.#turn, this.id, copyOf(this.data));
    await inner.run(change);
    replaceData(this.data, inner.data);
    return copyOf(inner.data);
  }
}
