import type { AnyServer, AnySocket } from "./any-socket.js";
import type { Limiter, LimiterAnswer, RateRule } from "./limiter.js";
import { MemoryLimiter } from "./memory-limiter.js";
import type { Excess } from "./rate-limit-error.js";

/** What becomes of an action when its limiter fails or does not answer within {@link LIMITER_TIMEOUT_MS}. */
export type LimiterErrorPolicy = "allow" | "refuse";

/** How long a limiter of the user may take: one that waits for its database would hold up the events of its sockets. */
export const LIMITER_TIMEOUT_MS = 1_000;

/** When a client may come back that was refused because the limiter failed. */
const RETRY_AFTER_FAILURE_MS = 1_000;

/** One rule in force. */
export class Limit {
  readonly #limiter: Limiter;
  readonly #isRemote: boolean;
  readonly #onLimiterError: LimiterErrorPolicy;
  #isFailing = false;

  /** @throws RangeError with code `SIO_INVALID_LIMIT` when points or duration are out of bounds */
  constructor(rule: RateRule, onLimiterError: LimiterErrorPolicy = "allow") {
    this.#isRemote = rule.limiter !== undefined;
    this.#limiter = rule.limiter ?? new MemoryLimiter(rule.points, rule.duration);
    this.#onLimiterError = onLimiterError;
  }

  /**
   * Counts one action. Never rejects: a limiter that fails is reported once, until it works again.
   *
   * @param keyOf - may throw, which counts as a failure
   * @param server - where failures are reported
   * @returns undefined when the action is within the limit
   */
  async check(keyOf: () => string, server: AnyServer, socket?: AnySocket): Promise<Excess | undefined> {
    let excess: Excess | undefined;
    try {
      excess = await this.#consume(keyOf());
    } catch (error) {
      if (!this.#isFailing) server.reportFailure("rate-limit", error, socket);
      this.#isFailing = true;
      return this.#onLimiterError === "allow" ? undefined : { retryAfterMs: RETRY_AFTER_FAILURE_MS };
    }
    this.#isFailing = false;
    return excess;
  }

  async #consume(key: string): Promise<Excess | undefined> {
    try {
      const answer = this.#limiter.consume(key);
      await (this.#isRemote ? inTime(answer) : answer);
      return undefined;
    } catch (error) {
      if (!isLimiterAnswer(error)) throw error;
      return { retryAfterMs: Math.max(1, Math.ceil(error.msBeforeNext)) };
    }
  }
}

/** By its shape: programs may load the library twice. */
function isLimiterAnswer(value: unknown): value is LimiterAnswer {
  return typeof (value as Partial<LimiterAnswer> | undefined)?.msBeforeNext === "number";
}

async function inTime(answer: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error(`The rate limiter did not answer within ${LIMITER_TIMEOUT_MS} ms`));
    timer = setTimeout(fail, LIMITER_TIMEOUT_MS);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
