import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Limiter, LimiterAnswer } from "./limiter.js";

/** Keys that are counted at the same time; more than that, and the counting begins anew. */
const MAX_KEYS = 100_000;

/** The longest time a timer of Node can wait for. The library forgets a key by timer: with a longer one, at once. */
const MAX_DURATION_SECONDS = 2_147_483;

/**
 * Counts in memory. A key is forgotten when its window ends, whether or not its socket is still there, so what is kept
 * are the keys of one window; and not more than 100,000 of them, however many addresses a flood comes from.
 */
export class MemoryLimiter implements Limiter {
  readonly #memory: RateLimiterMemory;
  /** How many keys there may be at most: those that have gone since they were last looked at are counted too. */
  #keysAtMost = 0;

  readonly #maxKeys: number;

  /** @throws RangeError with code `SIO_INVALID_LIMIT` when `points` or `duration` cannot be counted with */
  constructor(points: number, duration: number, maxKeys: number = MAX_KEYS) {
    if (!Number.isInteger(points) || points < 1) throw outOfRange("points has to be a whole number from 1 on");
    if (!(duration > 0 && duration <= MAX_DURATION_SECONDS)) {
      throw outOfRange(`duration has to be between 0 and ${MAX_DURATION_SECONDS} seconds`);
    }
    this.#memory = new RateLimiterMemory({ points, duration, keyPrefix: "" });
    this.#maxKeys = maxKeys;
  }

  /** Keys that are kept right now. */
  get keys(): string[] {
    return this.#memory.dump().storage.map(({ key }) => String(key));
  }

  consume(key: string): Promise<LimiterAnswer> {
    if (this.#keysAtMost >= this.#maxKeys) this.#makeRoom();
    return this.#memory.consume(key).then((answer) => {
      if (answer.isFirstInDuration) this.#keysAtMost++;
      return answer;
    });
  }

  /** Looking at all keys is worth it only where it brings room for many. */
  #makeRoom(): void {
    const { keys } = this;
    this.#keysAtMost = keys.length;
    if (keys.length <= this.#maxKeys / 2) return;
    for (const key of keys) void this.#memory.delete(key);
    this.#keysAtMost = 0;
  }
}

function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "SIO_INVALID_LIMIT" });
}
