import { describe, expect, it } from "vitest";
import { backoffDelay, type BackoffSettings } from "./backoff.js";

const settings = (delay: number, max: number, factor: number): BackoffSettings => ({
  reconnectionDelay: delay,
  reconnectionDelayMax: max,
  randomizationFactor: factor,
});
const delays = (of: BackoffSettings, count: number, attempts = 0): number[] =>
  Array.from({ length: count }, () => backoffDelay(of, attempts));

describe("the delays between attempts", () => {
  it("double until they reach their maximum", () => {
    const plain = settings(1000, 5000, 0);
    expect([0, 1, 2, 3, 4].map((attempts) => backoffDelay(plain, attempts))).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  it("stay within the jitter around the plain delay, on both sides of it, and are whole numbers", () => {
    const first = delays(settings(1000, 5000, 0.5), 1000);
    expect(Math.min(...first)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...first)).toBeLessThanOrEqual(1500);
    expect(Math.min(...first)).toBeLessThan(800);
    expect(Math.max(...first)).toBeGreaterThan(1200);
    expect(first.every(Number.isInteger)).toBe(true);
  });

  it("never exceed the maximum, jitter included", () => {
    expect(Math.max(...delays(settings(1000, 5000, 1), 1000, 3))).toBeLessThanOrEqual(5000);
  });

  it("never overflow, however many attempts there were: a long outage is no reason to hammer", () => {
    expect(new Set(delays(settings(1000, 5000, 0.5), 5000, 1000))).toEqual(new Set([5000]));
  });

  it("never exceed what a timer can take", () => {
    expect(backoffDelay(settings(1e9, Infinity, 0), 60)).toBe(2 ** 31 - 1);
  });
});
