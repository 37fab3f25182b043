import { busy, tooSlow } from "./session-errors.js";

export interface TurnLimits {
  /** How many may wait for their turn with one session. */
  readonly maxWaiting: number;
  /** How long a turn may take, in milliseconds; 24 days at most. */
  readonly timeoutMs: number;
}

/** Longest time that timers of Node can wait: with a longer one, such as `Infinity`, they fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The right to change one session, alone in this process. It ends by `end()`, or when its time is over. */
export class Turn {
  /** Set when the session is destroyed meanwhile: writing would bring it back. */
  destroyed = false;
  over = false;
  /** Called when the time is over. */
  onTimeout: (() => void) | undefined = undefined;
  readonly #handOver: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(timeoutMs: number, handOver: () => void) {
    this.#handOver = handOver;
    this.#timer = setTimeout(
      () => {
        this.end();
        this.onTimeout?.();
      },
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
    this.#timer.unref();
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.#timer);
    this.#handOver();
  }
}

interface Line {
  current: Turn | undefined;
  readonly waiting: (() => void)[];
}

/** Who may change which session: one at a time for each, in the order in which they asked. */
export class Turns {
  /** Sessions that somebody changes now. */
  readonly #lines = new Map<string, Line>();

  /** @throws EventError with code `SIO_SESSION_BUSY` */
  async take(id: string, { maxWaiting, timeoutMs }: TurnLimits): Promise<Turn> {
    let line = this.#lines.get(id);
    if (line === undefined) {
      line = { current: undefined, waiting: [] };
      this.#lines.set(id, line);
    } else {
      const { waiting } = line;
      if (waiting.length >= maxWaiting) throw busy();
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return (line.current = new Turn(timeoutMs, () => this.#handOver(id, line)));
  }

  /**
   * Runs a task in a turn.
   *
   * @throws EventError with code `SIO_SESSION_BUSY`, or `SIO_SESSION_TIMEOUT` when the time was over before the task was
   */
  async run<T>(id: string, limits: TurnLimits, task: (turn: Turn) => Promise<T>): Promise<T> {
    const turn = await this.take(id, limits);
    try {
      return await new Promise<T>((resolve, reject) => {
        turn.onTimeout = () => reject(tooSlow());
        task(turn).then(resolve, reject);
      });
    } finally {
      turn.end();
    }
  }

  /** Tells whoever has the turn that the session is no more. */
  destroyed(id: string): void {
    const current = this.#lines.get(id)?.current;
    if (current !== undefined) current.destroyed = true;
  }

  #handOver(id: string, line: Line): void {
    line.current = undefined;
    const next = line.waiting.shift();
    if (next === undefined) this.#lines.delete(id);
    else next();
  }
}

const turnsOfStores = new WeakMap<object, Turns>();

/** The turns of a store: one set for all who use it in this process. */
export function turnsOf(store: object): Turns {
  let turns = turnsOfStores.get(store);
  if (turns === undefined) turnsOfStores.set(store, (turns = new Turns()));
  return turns;
}
