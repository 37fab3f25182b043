/** How long an awaited event may take, in milliseconds: a guard against hanging tests, which says what they wait for. */
const GUARD_MS = 25_000;

// Those of before any test: the guard does not belong to the clock that a test fakes.
const { setTimeout, clearTimeout } = globalThis;

/** The common ground of Node's emitters and those of the published clients, whose typings do not agree. */
export interface Listenable {
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** Resolves with the arguments of the next `event`. */
export function nextEvent<Args extends unknown[] = unknown[]>(emitter: object, event: string): Promise<Args> {
  return new Promise((resolve, reject) => {
    const { on, off } = emitter as Listenable;
    const listener = (...args: unknown[]): void => {
      clearTimeout(guard);
      off.call(emitter, event, listener);
      resolve(args as Args);
    };
    const guard = setTimeout(() => {
      off.call(emitter, event, listener);
      reject(new Error(`no "${event}" event within ${GUARD_MS} ms`));
    }, GUARD_MS);
    on.call(emitter, event, listener);
  });
}
