/** A timer handle; `unref` exists in Node only. */
export type Timer = ReturnType<typeof globalThis.setTimeout>;

/** The two timer functions of one object. */
export interface Timers {
  readonly setTimeout: (callback: () => void, ms: number) => Timer;
  readonly clearTimeout: (timer: Timer | undefined) => void;
}

/** The global timers as they are now. */
function currentTimers(): Timers {
  const { setTimeout, clearTimeout } = globalThis;
  // Browsers insist on the global object as `this`.
  return { setTimeout: setTimeout.bind(globalThis), clearTimeout: clearTimeout.bind(globalThis) };
}

// Taken while the module loads: these survive whatever fake timers a test installs later.
const nativeTimers = currentTimers();

let latestTimers = nativeTimers;
let latestSetTimeout = globalThis.setTimeout;

/** The global timers as they are now, or with `useNativeTimers` as they were when this module was loaded (spec/client.md 1.7). */
export function timersFor(options: { readonly useNativeTimers?: boolean | undefined }): Timers {
  if (options.useNativeTimers) return nativeTimers;
  // One object for all, until somebody replaces the functions: each connection needs them three times.
  if (latestSetTimeout !== globalThis.setTimeout) {
    latestSetTimeout = globalThis.setTimeout;
    latestTimers = currentTimers();
  }
  return latestTimers;
}

/** What has timers and options that tell whether they keep the process. */
interface TimerOwner {
  readonly timers: Timers;
  readonly opts: { readonly autoUnref?: boolean };
}

/** Starts a timer, which does not keep the process with `autoUnref`. Returns what stops it. */
export function startTimer({ timers, opts }: TimerOwner, callback: () => void, ms: number): () => void {
  const timer = timers.setTimeout(callback, ms) as { unref?: () => void } & Timer;
  // Handles are numbers outside of Node.
  if (opts.autoUnref) timer.unref?.();
  return () => timers.clearTimeout(timer);
}

/** Runs after the code at hand, before any timer or I/O; what it throws is an uncaught error of its own. */
export const nextTick: (callback: () => void) => unknown =
  (globalThis as Partial<typeof globalThis>).queueMicrotask ?? ((callback) => Promise.resolve().then(callback));
