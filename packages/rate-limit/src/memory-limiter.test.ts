import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryLimiter } from "./memory-limiter.js";
/** What programs can tell it by. */
const OUT_OF_RANGE = expect.objectContaining({ name: "RangeError", code: "SIO_INVALID_LIMIT" }) as Error;

describe("MemoryLimiter", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("lets a key consume its points in each window, and tells when the next one begins", async () => {
    const limiter = new MemoryLimiter(2, 10);
    await limiter.consume("a");
    vi.advanceTimersByTime(4_000);
    await limiter.consume("a");
    await expect(limiter.consume("a")).rejects.toMatchObject({ msBeforeNext: 6_000 });
    await limiter.consume("b");
    vi.advanceTimersByTime(6_000);
    await limiter.consume("a");
  });

  it("forgets a thousand keys when their window ends, though nobody asks for them again", async () => {
    const limiter = new MemoryLimiter(5, 1);
    for (let index = 0; index < 1_000; index++) await limiter.consume(`socket:${index}`);
    expect(limiter.keys).toHaveLength(1_000);
    vi.advanceTimersByTime(1_000);
    expect(limiter.keys).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("begins anew, timers included, rather than keep more keys than it may", async () => {
    const limiter = new MemoryLimiter(1, 60, 100);
    for (let index = 0; index < 100; index++) await limiter.consume(`address:${index}`);
    expect(limiter.keys).toHaveLength(100);
    await limiter.consume("address:1");
    expect(limiter.keys).toEqual(["address:1"]);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("keeps a hundred thousand keys unless it is told otherwise", async () => {
    vi.useRealTimers();
    const limiter = new MemoryLimiter(1, 60);
    for (let index = 0; index < 100_000; index++) await limiter.consume(`address:${index}`);
    expect(limiter.keys).toHaveLength(100_000);
    await limiter.consume("one more");
    expect(limiter.keys).toEqual(["one more"]);
    // Long on a machine that has other things to do.
  }, 30_000);

  it("keeps the keys of the current window when most of those it had have gone", async () => {
    const limiter = new MemoryLimiter(1, 60, 100);
    for (let index = 0; index < 99; index++) await limiter.consume(`address:${index}`);
    vi.advanceTimersByTime(60_000);
    await limiter.consume("late");
    await limiter.consume("later");
    await expect(limiter.consume("late")).rejects.toMatchObject({ msBeforeNext: 60_000 });
    expect(limiter.keys).toEqual(["late", "later"]);
  });

  it.each([0, -1, 1.5, NaN, Infinity])("refuses to count %d points", (points) => {
    expect(() => new MemoryLimiter(points, 1)).toThrow(OUT_OF_RANGE);
  });

  it.each([0, -1, NaN, Infinity, 2_147_484])("refuses a duration of %d seconds", (duration) => {
    expect(() => new MemoryLimiter(1, duration)).toThrow(OUT_OF_RANGE);
  });
});
