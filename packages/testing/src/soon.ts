/*
 * How bytes travel and how idle time is measured: by timers as they were when this module was loaded, so that connections
 * work whatever fake timers a test installs later.
 */

/** The global timers as they were at first. */
export const nativeTimers: Pick<typeof globalThis, "setTimeout" | "clearTimeout" | "setImmediate"> = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
};

const nextTick = process.nextTick.bind(process);

/** How many tasks may follow on one another before timers and I/O get their turn. */
const MAX_TASKS_PER_TURN = 10_000;

const waiting: Array<() => void> = [];
let tasksOfTurn = 0;

function runNext(): void {
  waiting.shift()?.();
}

/**
 * Runs a task behind the code at hand, in the order of the calls. A whole conversation passes before the next timer, so
 * that a test which advances a fake clock finds it done; one without end does not hold up timers and I/O.
 */
export function soon(task: () => void): void {
  waiting.push(task);
  if (tasksOfTurn === 0) nativeTimers.setImmediate(() => (tasksOfTurn = 0));
  tasksOfTurn += 1;
  if (tasksOfTurn < MAX_TASKS_PER_TURN) nextTick(runNext);
  else nativeTimers.setImmediate(runNext);
}
