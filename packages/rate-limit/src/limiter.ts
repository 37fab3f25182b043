/** What a limiter tells of a key. */
export interface LimiterAnswer {
  /** Milliseconds until the points of the key are counted anew. */
  readonly msBeforeNext: number;
}

/**
 * Any limiter of `rate-limiter-flexible` that counts one key: `RateLimiterRedis`, `RateLimiterPostgres`,
 * `RateLimiterCluster` and so on. It is asked to consume one point, and rejects with what it knows of the key when there
 * is none left; any other rejection counts as a failure of the limiter.
 */
export interface Limiter {
  consume(key: string): Promise<LimiterAnswer>;
}

/** So many actions in so many seconds, counted in the memory of this process; or a limiter that counts elsewhere. */
export type RateRule =
  | {
      /** Actions allowed within `duration`. At least 1. */
      points: number;
      /** Seconds; at most 2,147,483 (24 days). A window begins with the first action in it. */
      duration: number;
      limiter?: undefined;
    }
  | {
      /** Counts instead of this process, with points and a duration of its own. */
      limiter: Limiter;
      points?: undefined;
      duration?: undefined;
    };
