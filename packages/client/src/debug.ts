import createDebug from "debug";

/** A logger of one namespace. Only code under `PLUGBOARD_DEBUG` may come here, so that production builds do without. */
export type DebugLogger = (format: string, ...args: unknown[]) => void;

/** The logger of a namespace, silent unless `DEBUG` (in browsers `localStorage.debug`) names it. */
export function debugFor(namespace: string): DebugLogger {
  return createDebug(namespace);
}
