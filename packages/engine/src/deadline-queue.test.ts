import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DeadlineQueue } from "./deadline-queue.js";

describe("DeadlineQueue", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function queue(): { due: string[]; deadlines: DeadlineQueue<string> } {
    const due: string[] = [];
    return { due, deadlines: new DeadlineQueue((item: string) => due.push(item)) };
  }

  it("calls each item at its own deadline", () => {
    const { due, deadlines } = queue();
    deadlines.set("a", 100);
    vi.advanceTimersByTime(60);
    deadlines.set("b", 100);
    vi.advanceTimersByTime(40);
    expect(due).toEqual(["a"]);
    vi.advanceTimersByTime(59);
    expect(due).toEqual(["a"]);
    vi.advanceTimersByTime(2);
    expect(due).toEqual(["a", "b"]);
  });

  it("forgets the earlier deadline of an item that is set again", () => {
    const { due, deadlines } = queue();
    deadlines.set("a", 100);
    vi.advanceTimersByTime(90);
    deadlines.set("a", 100);
    vi.advanceTimersByTime(90);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(11);
    expect(due).toEqual(["a"]);
  });

  it("takes the word of its timer where the clock stands still, as it does for the fake timers of Node", () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(performance, "now").mockReturnValue(5000);
    const due: string[] = [];
    const deadlines: DeadlineQueue<string> = new DeadlineQueue((item: string) => {
      due.push(item);
      if (due.length < 5) deadlines.set(item, 100);
    });
    deadlines.set("a", 100);
    vi.advanceTimersByTime(99);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(due).toEqual(["a"]);
    vi.advanceTimersByTime(250);
    expect(due).toEqual(["a", "a", "a"]);
    vi.restoreAllMocks();
  });

  it("holds no timer once the last item has been deleted", () => {
    const { due, deadlines } = queue();
    deadlines.set("a", 100);
    deadlines.set("b", 100);
    deadlines.delete("a");
    expect(vi.getTimerCount()).toBe(1);
    deadlines.delete("b");
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(due).toEqual([]);
  });

  it("uses one timer however many items wait", () => {
    const { due, deadlines } = queue();
    for (let index = 0; index < 1000; index++) deadlines.set(`item ${index}`, 100);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(101);
    expect(due).toHaveLength(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps the deadlines of the others when an item is set again while it is due", () => {
    const due: string[] = [];
    const deadlines: DeadlineQueue<string> = new DeadlineQueue((item: string) => {
      due.push(item);
      if (due.length < 3) deadlines.set(item, 100);
    });
    deadlines.set("a", 100);
    vi.advanceTimersByTime(50);
    deadlines.set("b", 100);
    vi.advanceTimersByTime(51);
    expect(due).toEqual(["a"]);
    vi.advanceTimersByTime(50);
    expect(due).toEqual(["a", "b"]);
    vi.advanceTimersByTime(51);
    expect(due).toEqual(["a", "b", "a"]);
  });
});
