import { Server } from "@plugboard/server";
import { describe, expect, it } from "vitest";
import type { AnySocket } from "./any-socket.js";
import { EventLimit, MAX_UNDECIDED_EVENTS } from "./event-limit.js";
import { Limit } from "./limit.js";
import type { Limiter } from "./limiter.js";

const socket = { id: "x1", server: new Server() } as AnySocket;

describe("EventLimit", () => {
  it("refuses at once what comes while ten thousand events wait for the limiter, and drops none of those", async () => {
    const waiting: (() => void)[] = [];
    const limiter: Limiter = {
      consume: () => new Promise((resolve) => waiting.push(() => resolve({ msBeforeNext: 1 }))),
    };
    const limits = [new Limit({ limiter })];
    const events = new EventLimit(socket, "socket");
    const allowed: number[] = [];
    const refused: number[] = [];
    const decide = (index: number): void =>
      events.decide(limits, (excess) => (excess === undefined ? allowed : refused).push(index));
    for (let index = 0; index < MAX_UNDECIDED_EVENTS + 2; index++) decide(index);
    expect(refused).toEqual([MAX_UNDECIDED_EVENTS, MAX_UNDECIDED_EVENTS + 1]);
    expect(waiting).toHaveLength(MAX_UNDECIDED_EVENTS);
    for (const answer of waiting.reverse()) answer();
    await new Promise(setImmediate);
    expect(allowed).toEqual(Array.from({ length: MAX_UNDECIDED_EVENTS }, (_, index) => index));
    decide(-1);
    expect(refused).toHaveLength(2);
  });

  it("tells the longest time of all limits that were crossed", async () => {
    const crossed = (msBeforeNext: number): Limit =>
      new Limit({ limiter: { consume: () => Promise.reject({ msBeforeNext }) } });
    const free = new Limit({ points: 1, duration: 1 });
    const decision = new Promise((resolve) =>
      new EventLimit(socket, "socket").decide([crossed(5), free, crossed(7), crossed(6)], resolve),
    );
    expect(await decision).toEqual({ retryAfterMs: 7 });
  });
});
