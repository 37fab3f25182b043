import { afterEach, describe, expect, it, vi } from "vitest";
import { nativeTimers, soon } from "./soon.js";

describe("soon", () => {
  afterEach(() => void vi.useRealTimers());

  it("runs tasks behind the code at hand, in order", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      soon(() => order.push("first"));
      soon(() => {
        order.push("second");
        soon(resolve);
      });
      order.push("now");
    });
    expect(order).toEqual(["now", "first", "second"]);
  });

  it("lets a conversation come to its end before any timer", async () => {
    let hops = 0;
    const timer = new Promise((resolve) => nativeTimers.setImmediate(() => resolve(hops)));
    const hop = (): void => {
      if (++hops < 500) soon(hop);
    };
    soon(hop);
    expect(await timer).toBe(500);
  });

  it("lets timers run during a conversation without end, and keeps the order all the same", async () => {
    let isOver = false;
    let isInOrder = true;
    let asked = 0;
    let told = 0;
    const ask = (): void => {
      if (isOver) return;
      const number = asked++;
      soon(() => {
        isInOrder &&= told++ === number;
        ask();
      });
    };
    for (let i = 0; i < 7; i++) ask();
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    isOver = true;
    expect(told).toBeGreaterThan(10_000);
    expect(isInOrder).toBe(true);
  });

  it("works while all timers are fake", async () => {
    vi.useFakeTimers();
    await new Promise<void>((resolve) => soon(resolve));
    await new Promise<void>((resolve) => nativeTimers.setImmediate(resolve));
  });
});
