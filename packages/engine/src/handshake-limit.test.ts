import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HandshakeLimit } from "./handshake-limit.js";

describe("HandshakeLimit", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  function admitted(limit: HandshakeLimit, address: string, count: number): number {
    let passed = 0;
    for (let index = 0; index < count; index++) if (limit.admit(address, 5)) passed++;
    return passed;
  }

  it("admits the average of ten seconds at once, and no more before the next ten", () => {
    const limit = new HandshakeLimit();
    expect(admitted(limit, "a", 60)).toBe(50);
    vi.advanceTimersByTime(9_999);
    expect(admitted(limit, "a", 1)).toBe(0);
    vi.advanceTimersByTime(1);
    expect(admitted(limit, "a", 60)).toBe(50);
  });

  it("counts each address for itself", () => {
    const limit = new HandshakeLimit();
    expect(admitted(limit, "a", 60)).toBe(50);
    expect(admitted(limit, "b", 60)).toBe(50);
  });

  it("remembers a bounded number of addresses", () => {
    const limit = new HandshakeLimit();
    expect(admitted(limit, "a", 60)).toBe(50);
    for (let index = 0; index < 100_000; index++) limit.admit(`address ${index}`, 5);
    expect(admitted(limit, "a", 60)).toBe(50);
  });
});
