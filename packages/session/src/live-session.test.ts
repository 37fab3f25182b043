import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveSession } from "./live-session.js";

const HOUR_MS = 3_600_000;

describe("a session whose time is over, but which the store still has", () => {
  let looks: number[];
  let session: LiveSession;

  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    looks = [];
    session = new LiveSession("id", "room", { data: {}, expiresAt: 1_000, lifetimeMs: HOUR_MS });
  });
  afterEach(() => {
    session.close();
    vi.useRealTimers();
  });

  const look = (): void => {
    looks.push(Date.now());
    session.arm(look);
  };

  it("is looked at again at once, however long sessions live: the clock of the store was behind by a moment", () => {
    session.arm(look);
    vi.advanceTimersByTime(1_250);
    expect(looks).toEqual([1_000, 1_250]);
  });

  it("is looked at less and less often, but once a minute at least", () => {
    session.arm(look);
    vi.advanceTimersByTime(HOUR_MS);
    expect(looks.slice(0, 6)).toEqual([1_000, 1_250, 1_500, 2_000, 3_000, 5_000]);
    expect(looks.at(-1)! - looks.at(-2)!).toBe(60_000);
  });
});
