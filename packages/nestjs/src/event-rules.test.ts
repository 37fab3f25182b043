import { SubscribeMessage } from "@nestjs/websockets";
import { describe, expect, it } from "vitest";
import { AckTimeout, Concurrency, EventRules, Serial, SocketLanes } from "./event-rules.js";

class Gateway {
  first(): void {}
  second(): void {}
  plain(): void {}
}

function decorate(type: { readonly prototype: object }, name: string, ...decorators: MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(type.prototype, name) as PropertyDescriptor;
  for (const decorator of decorators) decorator(type.prototype, name, descriptor);
}

decorate(Gateway, "first", SubscribeMessage("first"), Serial(), AckTimeout(5));
decorate(Gateway, "second", SubscribeMessage("second"), Serial());
decorate(Gateway, "plain", SubscribeMessage("plain"));

describe("rules of events", () => {
  it.each([0, -1, 1.5, Number.NaN])("refuse a concurrency of %s", (limit) => {
    expect(() => Concurrency(limit)).toThrow("concurrency has to be a whole number from 1 on");
  });

  it("say nothing of events that no decorator and no option limits", () => {
    const rules = new EventRules([Gateway], Number.POSITIVE_INFINITY);
    expect(rules.lanesOf([{ message: "plain" }])).toBe(undefined);
    expect(rules.timeoutOf([{ message: "plain" }])).toBe(undefined);
    expect(rules.timeoutOf([{ message: "plain" }, { message: "first" }])).toBe(5);
  });

  it("let no two events wait for each other, in whatever order their handlers come", async () => {
    const rules = new EventRules([Gateway], Number.POSITIVE_INFINITY);
    const lanes = new SocketLanes();
    const [ahead, behind] = [{ message: "first" }, { message: "second" }];
    const done: number[] = [];
    const run = (handlers: { message: string }[], n: number): Promise<void> =>
      lanes.run(rules.lanesOf(handlers) ?? new Map(), async () => {
        await Promise.resolve();
        done.push(n);
      });
    await Promise.all([run([ahead, behind], 1), run([behind, ahead], 2), run([ahead], 3), run([behind], 4)]);
    expect(done.toSorted()).toEqual([1, 2, 3, 4]);
    expect(done.indexOf(1)).toBeLessThan(done.indexOf(2));
  });
});
