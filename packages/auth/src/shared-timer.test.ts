import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SharedTimer } from "./shared-timer.js";

const NOW = 1_800_000_000_000;
const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("runs at the earliest deadline and then at the one that the run tells", () => {
  const run = vi.fn((now: number) => (now === NOW + 2000 ? NOW + 5000 : Infinity));
  const timer = new SharedTimer(run);
  timer.due(NOW + 9000);
  timer.due(NOW + 2000);
  timer.due(NOW + 4000);
  vi.advanceTimersByTime(DAY_MS);
  expect(run.mock.calls).toEqual([[NOW + 2000], [NOW + 5000]]);
  expect(vi.getTimerCount()).toBe(0);
});

it.each([
  [0, 50],
  [10, 200],
  [40, 800],
  [400, 1000],
])("whose run takes %d ms runs every %d ms at most, whatever is due", (tookMs, gapMs) => {
  let ran = 0;
  vi.spyOn(performance, "now").mockImplementation(() => ran * tookMs);
  const run = vi.fn((now: number) => (++ran < 4 ? now + 1 : Infinity));
  new SharedTimer(run).due(NOW);
  vi.advanceTimersByTime(DAY_MS);
  expect(run.mock.calls).toEqual([0, 1, 2, 3].map((n) => [NOW + n * gapMs]));
});

it("minds what becomes due during a run", () => {
  const run = vi.fn((now: number) => {
    if (now === NOW) timer.due(NOW + 3000);
    return now === NOW ? NOW + 7000 : Infinity;
  });
  const timer = new SharedTimer(run);
  timer.due(NOW);
  vi.advanceTimersByTime(DAY_MS);
  expect(run.mock.calls).toEqual([[NOW], [NOW + 3000]]);
});

it("waits for deadlines beyond what a timer can count, and runs for none before", () => {
  const run = vi.fn(() => Infinity);
  new SharedTimer(run).due(NOW + 60 * DAY_MS);
  vi.advanceTimersByTime(60 * DAY_MS - 1);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledExactlyOnceWith(NOW + 60 * DAY_MS);
});

it("notices within a minute that the clock was set", () => {
  const run = vi.fn(() => Infinity);
  new SharedTimer(run).due(NOW + DAY_MS);
  vi.setSystemTime(NOW + 2 * DAY_MS);
  vi.advanceTimersByTime(60_000);
  expect(run).toHaveBeenCalledOnce();
});

it("is not held up by a clock that was set back", () => {
  const run = vi.fn(() => Infinity);
  const timer = new SharedTimer(run);
  timer.due(NOW);
  vi.advanceTimersByTime(0);
  vi.setSystemTime(NOW - DAY_MS);
  timer.due(NOW - DAY_MS + 500);
  vi.advanceTimersByTime(500);
  expect(run).toHaveBeenCalledTimes(2);
});
