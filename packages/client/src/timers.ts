/** Starts a timer; with `mayExit` it does not keep the process (in Node: handles of browsers cannot). Returns what stops it. */
export type StartTimer = (callback: () => void, ms: number, mayExit?: boolean) => () => void;

// Taken while the module loads: these survive whatever fake timers a test installs later.
const native = { setTimeout, clearTimeout };

/** The global timers as they are now, or with `useNativeTimers` as they were when this module was loaded (spec/client.md 1.7). */
export function timersFor(options: { readonly useNativeTimers?: boolean | undefined }): StartTimer {
  // Called as plain functions: browsers do not take any other object than the global one as `this`.
  const { setTimeout, clearTimeout } = options.useNativeTimers ? native : globalThis;
  return (callback, ms, mayExit) => {
    const timer = setTimeout(callback, ms) as ReturnType<typeof setTimeout> & { unref?: () => void };
    if (mayExit) timer.unref?.();
    return () => clearTimeout(timer);
  };
}

/** Runs after the code at hand, before any timer or I/O; what it throws is an uncaught error of its own. */
export const nextTick: (callback: () => void) => unknown =
  (globalThis as Partial<typeof globalThis>).queueMicrotask ?? ((callback) => Promise.resolve().then(callback));
