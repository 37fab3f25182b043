import type { ListenerFailure } from "@plugboard/server";
import { Server } from "@plugboard/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Limit, LIMITER_TIMEOUT_MS } from "./limit.js";
import type { Limiter, LimiterAnswer } from "./limiter.js";

/** A limiter that fails as long as it is told to. */
class FickleLimiter implements Limiter {
  failure: unknown = undefined;

  consume(): Promise<LimiterAnswer> {
    return this.failure === undefined ? Promise.resolve({ msBeforeNext: 1 }) : Promise.reject(this.failure);
  }
}

function serverWithFailures(): { io: Server; failures: ListenerFailure[] } {
  const failures: ListenerFailure[] = [];
  return { io: new Server({ onListenerError: (failure) => failures.push(failure) }), failures };
}

describe("Limit", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("tells in whole milliseconds, at least one, when to come back", async () => {
    const { io, failures } = serverWithFailures();
    const limiter = new FickleLimiter();
    const limit = new Limit({ limiter });
    limiter.failure = { msBeforeNext: 12.3 };
    expect(await limit.check(() => "a", io)).toEqual({ retryAfterMs: 13 });
    limiter.failure = { msBeforeNext: -1 };
    expect(await limit.check(() => "a", io)).toEqual({ retryAfterMs: 1 });
    expect(failures).toEqual([]);
  });

  it("allows what a failing limiter cannot count, and reports it once until it works again", async () => {
    const { io, failures } = serverWithFailures();
    const limiter = new FickleLimiter();
    const limit = new Limit({ limiter });
    limiter.failure = new Error("down");
    for (let count = 0; count < 3; count++) expect(await limit.check(() => "a", io)).toBeUndefined();
    const report = { socket: undefined, event: "rate-limit", args: [], ack: undefined, error: limiter.failure };
    expect(failures).toEqual([report]);
    limiter.failure = undefined;
    await limit.check(() => "a", io);
    limiter.failure = report.error;
    await limit.check(() => "a", io);
    expect(failures).toEqual([report, report]);
  });

  it("refuses what a failing limiter cannot count, when told so", async () => {
    const { io, failures } = serverWithFailures();
    const limiter = new FickleLimiter();
    limiter.failure = new Error("down");
    expect(await new Limit({ limiter }, "refuse").check(() => "a", io)).toEqual({ retryAfterMs: 1_000 });
    expect(failures).toHaveLength(1);
  });

  it("takes a limiter that does not answer, that throws, or a key that cannot be told, for a failing one", async () => {
    vi.useFakeTimers();
    const { io, failures } = serverWithFailures();
    const silent: Limiter = { consume: () => new Promise(() => {}) };
    const checked = new Limit({ limiter: silent }, "refuse").check(() => "a", io);
    await vi.advanceTimersByTimeAsync(LIMITER_TIMEOUT_MS);
    expect(await checked).toEqual({ retryAfterMs: 1_000 });
    const throwing: Limiter = {
      consume() {
        throw new Error("thrown");
      },
    };
    await new Limit({ limiter: throwing }).check(() => "a", io);
    const noKey = (): string => {
      throw new Error("no key");
    };
    await new Limit({ points: 1, duration: 1 }).check(noKey, io);
    expect(failures.map(({ error }) => (error as Error).message)).toEqual([
      "The rate limiter did not answer within 1000 ms",
      "thrown",
      "no key",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("prints a failure where nobody else hears of it, also when the one who should fails himself", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => {});
    const limiter = new FickleLimiter();
    limiter.failure = new Error("down");
    await new Limit({ limiter }).check(() => "a", new Server());
    const handlerError = new Error("deaf");
    const onListenerError = (): void => {
      throw handlerError;
    };
    await new Limit({ limiter }).check(() => "a", new Server({ onListenerError }));
    const errors = printed.mock.calls.map(([, error]) => error as unknown);
    expect(errors).toEqual([limiter.failure, limiter.failure, handlerError]);
  });
});
