import { onTestFinished, vi } from "vitest";

/**
 * Until the running test ends, the clock of this process goes on as ever and can be set forward besides: nobody has to wait for
 * the end of a lifetime, nor hurry. What is due meanwhile happens in order, but nothing comes over the network while it is set:
 * less than 20 seconds at a time leave heartbeats their time.
 *
 * @returns sets it forward by so many milliseconds
 */
export function settableClock(): (ms: number) => void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    shouldAdvanceTime: true,
  });
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => void vi.advanceTimersByTime(ms);
}
