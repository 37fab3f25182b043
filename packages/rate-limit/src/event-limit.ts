import type { AnySocket } from "./any-socket.js";
import { DecisionQueue } from "./decision-queue.js";
import { LIMITER_TIMEOUT_MS, type Limit } from "./limit.js";
import type { Excess } from "./rate-limit-error.js";
import { keyOfSocket, type SocketKey } from "./socket-key.js";

/** Events of one socket that may wait for a limiter; more are refused at once, before those that wait. */
export const MAX_UNDECIDED_EVENTS = 10_000;

/** By then the limiter has answered, or counts as failing. */
const TOO_MANY_UNDECIDED: Excess = { retryAfterMs: LIMITER_TIMEOUT_MS };

/** Decides on the events of one socket after the other. */
export class EventLimit {
  readonly #queue = new DecisionQueue<Excess | undefined>();
  readonly #socket: AnySocket;
  readonly #keyOf: () => string;

  constructor(socket: AnySocket, by: SocketKey) {
    this.#socket = socket;
    this.#keyOf = () => keyOfSocket(by, socket);
  }

  /**
   * Counts one event.
   *
   * @param act - gets undefined when the event is within all limits; called in the order of the events
   */
  decide(limits: readonly Limit[], act: (excess: Excess | undefined) => void): void {
    if (this.#queue.length >= MAX_UNDECIDED_EVENTS) act(TOO_MANY_UNDECIDED);
    else this.#queue.add(this.#check(limits), act);
  }

  #check(limits: readonly Limit[]): Promise<Excess | undefined> {
    const { server } = this.#socket;
    const checks = limits.map((limit) => limit.check(this.#keyOf, server, this.#socket));
    return checks.length === 1 ? checks[0]! : Promise.all(checks).then(longest);
  }
}

/** Whoever has crossed several limits has to wait for all of them. */
function longest(answers: readonly (Excess | undefined)[]): Excess | undefined {
  let worst: Excess | undefined;
  for (const answer of answers) {
    if (answer !== undefined && answer.retryAfterMs > (worst?.retryAfterMs ?? 0)) worst = answer;
  }
  return worst;
}
