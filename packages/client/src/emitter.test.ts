import { describe, expect, it, vi } from "vitest";
import { Emitter } from "./emitter.js";

describe("an emitter", () => {
  it("calls listeners in the order they were added, with the arguments and itself as this", () => {
    const emitter = new Emitter();
    const calls: unknown[] = [];
    emitter.on("e", function (this: unknown, ...args) {
      calls.push(["first", this === emitter, ...args]);
    });
    emitter.addEventListener("e", (...args) => calls.push(["second", ...args]));
    emitter.emit("e", 1, "x");
    expect(calls).toEqual([
      ["first", true, 1, "x"],
      ["second", 1, "x"],
    ]);
  });

  it("calls the same listener as often as it was added, and takes away one registration at a time", () => {
    const emitter = new Emitter();
    const listener = vi.fn();
    emitter.on("e", listener).on("e", listener);
    emitter.emit("e");
    emitter.off("e", listener);
    emitter.emit("e");
    expect(listener).toHaveBeenCalledTimes(3);
    expect(emitter.listeners("e")).toEqual([listener]);
  });

  it("calls a listener of once a single time, also when it emits the event itself", () => {
    const emitter = new Emitter();
    const listener = vi.fn(() => void emitter.emit("e"));
    emitter.once("e", listener);
    emitter.emit("e");
    expect(listener).toHaveBeenCalledTimes(1);
    expect(emitter.hasListeners("e")).toBe(false);
  });

  it("finds a listener of once by the function that was handed in", () => {
    const emitter = new Emitter();
    const listener = vi.fn();
    emitter.once("e", listener).off("e", listener);
    emitter.emit("e");
    expect(listener).not.toHaveBeenCalled();
  });

  it("keeps to the listeners it had when an event began", () => {
    const emitter = new Emitter();
    const calls: string[] = [];
    const late = (): unknown => calls.push("late");
    emitter.on("e", () => {
      calls.push("first");
      emitter.off("e", second).on("e", late);
    });
    const second = (): unknown => calls.push("second");
    emitter.on("e", second);
    emitter.emit("e");
    expect(calls).toEqual(["first", "second"]);
    emitter.emit("e");
    expect(calls).toEqual(["first", "second", "first", "late"]);
  });

  it.each(["off", "removeListener", "removeAllListeners", "removeEventListener"] as const)(
    "%s without a listener takes all of an event, also when it is undefined, and without an event everything",
    (off) => {
      const emitter = new Emitter().on("a", vi.fn()).on("a", vi.fn()).on("b", vi.fn()).on("c", vi.fn());
      emitter[off]("a", undefined);
      expect(["a", "b", "c"].map((event) => emitter.listeners(event).length)).toEqual([0, 1, 1]);
      emitter[off]();
      expect(["a", "b", "c"].map((event) => emitter.hasListeners(event))).toEqual([false, false, false]);
    },
  );

  it.each(["constructor", "__proto__", "hasOwnProperty", Symbol("event")])(
    "takes %s for a name like any other",
    (event) => {
      const emitter = new Emitter();
      const listener = vi.fn();
      emitter.emit(event, 1);
      emitter.on(event, listener).emit(event, 2);
      expect(listener.mock.calls).toEqual([[2]]);
    },
  );

  it("says nothing when nobody listens to an error, and lets a listener's error end the round", () => {
    const emitter = new Emitter();
    expect(emitter.emit("error", new Error("unheard"))).toBe(emitter);
    const after = vi.fn();
    emitter.on("e", () => {
      throw new Error("thrown");
    });
    emitter.on("e", after);
    expect(() => emitter.emit("e")).toThrow("thrown");
    expect(after).not.toHaveBeenCalled();
  });
});
