import { onTestFinished, vi } from "vitest";
import type { Listenable } from "./next-event.js";

/** Stops the timers of this process, and the clock of heartbeats, but not its I/O, until the test finishes. */
export function stopTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

/** How many milliseconds the stopped timers have to go on before an event happens; more than `limit` is an error. */
export async function millisecondsUntil(emitter: object, event: string, limit = 20_000): Promise<number> {
  let hasHappened = false;
  const { on, off } = emitter as Listenable;
  const listener = (): void => {
    hasHappened = true;
  };
  on.call(emitter, event, listener);
  try {
    for (let passed = 0; passed <= limit; passed++) {
      if (hasHappened) return passed;
      vi.advanceTimersByTime(1);
    }
    throw new Error(`no "${event}" within ${limit} ms`);
  } finally {
    off.call(emitter, event, listener);
  }
}

/** Resolves when an event happens, however long it takes; timers go on as far as I/O needs them. */
export async function happens(emitter: object, event: string): Promise<unknown[]> {
  let seen: unknown[] | undefined;
  const { on, off } = emitter as Listenable;
  const listener = (...args: unknown[]): void => {
    seen ??= args;
  };
  on.call(emitter, event, listener);
  while (seen === undefined) {
    await new Promise((resolve) => setImmediate(resolve));
    // Failures of requests are told by timers of no time.
    vi.advanceTimersByTime(0);
  }
  off.call(emitter, event, listener);
  return seen;
}
