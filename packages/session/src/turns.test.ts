import { describe, expect, it, vi } from "vitest";
import { Turns, turnsOf } from "./turns.js";

const limits = { maxWaiting: 3, timeoutMs: 1_000 };

/** A task that ends when it is told to. */
function task() {
  let end!: (value?: string) => void;
  const done = new Promise<string | undefined>((resolve) => (end = resolve));
  return { done, end };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("turns with a session", () => {
  it("may take for ever, where there is no limit", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const turns = new Turns();
      const first = task();
      const running = turns.run("a", { ...limits, timeoutMs: Infinity }, () => first.done);
      await vi.advanceTimersByTimeAsync(60_000);
      first.end("done");
      expect(await running).toBe("done");
    } finally {
      vi.useRealTimers();
    }
  });

  it("come one at a time, in the order in which they were asked for", async () => {
    const turns = new Turns();
    const order: string[] = [];
    const first = task();
    const all = [
      turns.run("a", limits, async () => {
        order.push("first begins");
        await first.done;
        order.push("first ends");
      }),
      turns.run("a", limits, async () => void order.push("second")),
      turns.run("a", limits, async () => void order.push("third")),
      turns.run("b", limits, async () => void order.push("another session")),
    ];
    await soon();
    expect(order).toEqual(["first begins", "another session"]);
    first.end();
    await Promise.all(all);
    expect(order.slice(2)).toEqual(["first ends", "second", "third"]);
  });

  it("go on after one that failed", async () => {
    const turns = new Turns();
    const failed = turns.run("a", limits, () => Promise.reject(new Error("no")));
    const next = turns.run("a", limits, () => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });

  it("are refused when too many wait", async () => {
    const turns = new Turns();
    const first = task();
    const accepted = Array.from({ length: 4 }, () => turns.run("a", limits, () => first.done));
    await expect(turns.take("a", limits)).rejects.toMatchObject({ code: "SIO_SESSION_BUSY", status: 503 });
    first.end("done");
    expect(await Promise.all(accepted)).toEqual(Array(4).fill("done"));
    await turns.run("a", limits, () => Promise.resolve());
  });

  it("are taken away when their time is over", async () => {
    vi.useFakeTimers();
    try {
      const turns = new Turns();
      const never = turns.run("a", limits, () => task().done);
      const refused = never.then(undefined, (error: unknown) => error);
      const next = turns.run("a", limits, () => Promise.resolve("next"));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await refused).toMatchObject({ name: "EventError", code: "SIO_SESSION_TIMEOUT" });
      expect(await next).toBe("next");
    } finally {
      vi.useRealTimers();
    }
  });

  it("end once, whatever ends them", async () => {
    const turns = new Turns();
    const first = await turns.take("a", limits);
    const [second, third] = [turns.take("a", limits), turns.take("a", limits)];
    let thirdCame = false;
    void third.then(() => (thirdCame = true));
    first.end();
    first.end();
    const held = await second;
    await soon();
    expect(thirdCame).toBe(false);
    held.end();
    (await third).end();
  });

  it("tell who has one that the session is destroyed, and nobody after", async () => {
    const turns = new Turns();
    turns.destroyed("a");
    const first = await turns.take("a", limits);
    turns.destroyed("a");
    expect(first.destroyed).toBe(true);
    first.end();
    const second = await turns.take("a", limits);
    expect(second.destroyed).toBe(false);
    second.end();
  });

  it("are the same for all who use a store", () => {
    const store = {};
    expect(turnsOf(store)).toBe(turnsOf(store));
    expect(turnsOf(store)).not.toBe(turnsOf({}));
  });
});
