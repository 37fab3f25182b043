import type { FlakyLink, Random } from "@plugboard/testkit";

export type Cut = (link: FlakyLink) => void;

/** What networks do to connections, if both ends are told. */
export const TOLD_CUTS: readonly Cut[] = [(link) => link.reset(), (link) => link.end()];

/** The same, and one end is told, or none. */
export const ALL_CUTS: readonly Cut[] = [
  ...TOLD_CUTS,
  (link) => link.drop("client"),
  (link) => link.drop("server"),
  (link) => link.stall(),
];

/** Cuts links of one client somewhere within their first bytes, until there were enough cuts. */
export class CutSeries {
  /** Cuts so far. */
  count = 0;
  readonly #wanted: number;
  readonly #kinds: readonly Cut[];
  readonly #withinBytes: number;
  /** Called after each cut. */
  readonly #onCut: (random: Random) => void;
  #isOn = false;

  constructor(wanted: number, kinds: readonly Cut[], withinBytes: number, onCut: (random: Random) => void) {
    this.#wanted = wanted;
    this.#kinds = kinds;
    this.#withinBytes = withinBytes;
    this.#onCut = onCut;
  }

  get isOver(): boolean {
    return this.count >= this.#wanted;
  }

  /** Links that come from now on are cut. */
  start(): void {
    this.#isOn = true;
  }

  readonly onLink = (link: FlakyLink, random: Random): void => {
    if (!this.#isOn || this.isOver) return;
    const cut = random.pick(this.#kinds);
    let isCut = false;
    // Where little goes one way, the other one decides.
    for (const direction of ["up", "down"] as const) {
      link.afterBytes(direction, 1 + random.int(this.#withinBytes), () => {
        if (isCut || this.isOver) return;
        isCut = true;
        this.count++;
        cut(link);
        this.#onCut(random);
      });
    }
  };
}
