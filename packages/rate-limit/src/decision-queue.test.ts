import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DecisionQueue } from "./decision-queue.js";

describe("DecisionQueue", () => {
  it("acts in the order of the questions, in whatever order the answers come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.integer(), { minLength: 1, maxLength: 20 }), async (s, values) => {
        const queue = new DecisionQueue<number>();
        const acted: number[] = [];
        for (const value of values) queue.add(s.schedule(Promise.resolve(value)), (answer) => acted.push(answer));
        expect(queue.length).toBe(values.length);
        await s.waitAll();
        await new Promise(setImmediate);
        expect(acted).toEqual(values);
        expect(queue.length).toBe(0);
      }),
    );
  });

  it("waits for nobody once all that was asked before has been answered", async () => {
    const queue = new DecisionQueue<string>();
    const acted: string[] = [];
    queue.add(Promise.resolve("a"), (answer) => acted.push(answer));
    await new Promise(setImmediate);
    expect(queue.length).toBe(0);
    queue.add(Promise.resolve("b"), (answer) => acted.push(answer));
    await new Promise(setImmediate);
    expect(acted).toEqual(["a", "b"]);
  });
});
