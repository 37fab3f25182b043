import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { RunningWork } from "./running-work.js";

describe("work that is counted", () => {
  it("is over when all has settled, however it ends", async () => {
    const running = new RunningWork();
    let end: () => void = () => {};
    running.add(Promise.reject(new Error("failed")));
    running.add(new Promise<void>((resolve) => (end = resolve)));
    let isIdle = false;
    const idle = running.idle(60_000).then(() => (isIdle = true));
    await new Promise(setImmediate);
    expect(isIdle).toBe(false);
    end();
    await idle;
    await running.idle(60_000);
  });

  it("is not waited for any longer than that, nor held when it never ends", async () => {
    const running = new RunningWork();
    const begin = (): WeakRef<object> => {
      const client = { hello: "world" };
      running.add(new Promise(() => client).then(() => client));
      return new WeakRef(client);
    };
    const client = begin();
    await running.idle(1);
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    expect(client.deref()).toBeUndefined();
  });
});
