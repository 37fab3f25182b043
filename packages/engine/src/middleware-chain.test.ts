import { describe, expect, it } from "vitest";
import { runMiddlewareChain } from "./middleware-chain.js";

type Next = (error?: unknown) => void;

function run(...middlewares: Array<(subject: string, next: Next) => unknown>): Promise<unknown> {
  return new Promise((resolve) => runMiddlewareChain(middlewares, ["subject"], resolve));
}

describe("a chain of middlewares", () => {
  it("runs them in order with the subject, and ends without an error", async () => {
    const order: string[] = [];
    const note = (name: string) => (subject: string, next: Next) => {
      order.push(`${name} ${subject}`);
      next();
    };
    expect(await run(note("a"), note("b"))).toBeUndefined();
    expect(order).toEqual(["a subject", "b subject"]);
    expect(await run()).toBeUndefined();
  });

  it.each([
    ["gives an error to next", (_subject: string, next: Next) => next("no")],
    [
      "throws",
      () => {
        throw "no";
      },
    ],
    ["rejects", () => Promise.reject("no")],
  ])("ends with the error when one %s, and the later ones do not run", async (_what, middleware) => {
    let ran = false;
    expect(await run(middleware, () => (ran = true))).toBe("no");
    expect(ran).toBe(false);
  });

  it.each([["", 0, false, null, undefined]].flat())(
    "takes %j, thrown or rejected with, for a refusal",
    async (falsy) => {
      const thrown = await run(() => {
        throw falsy;
      });
      expect(thrown).toBeInstanceOf(Error);
      expect(await run(() => Promise.reject(falsy))).toBeInstanceOf(Error);
    },
  );

  it("ignores a second next", async () => {
    let runs = 0;
    await run(
      (_subject, next) => {
        next();
        next(new Error("too late"));
        next();
      },
      (_subject, next) => {
        runs++;
        next();
      },
    );
    expect(runs).toBe(1);
  });

  it("leaves out what is added while it runs", async () => {
    let added = false;
    const middlewares: Array<(next: Next) => void> = [
      (next) => {
        middlewares.push((last) => {
          added = true;
          last();
        });
        next();
      },
    ];
    await new Promise<unknown>((resolve) => runMiddlewareChain(middlewares, [], resolve));
    expect(added).toBe(false);
  });
});
