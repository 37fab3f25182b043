/** What decides how long to wait; the names are those of the options of a manager. */
export interface BackoffSettings {
  /** The first delay, in milliseconds. */
  reconnectionDelay: number;
  /** Most of every delay, jitter included, in milliseconds. */
  reconnectionDelayMax: number;
  /** From 0 to 1: a delay of 100 with a factor of 0.2 becomes one between 80 and 120. Anything else counts as 0. */
  randomizationFactor: number;
}

/** Longest delay a timer can take. */
const MAX_DELAY_MS = 2 ** 31 - 1;
/** From here on every delay is at its maximum anyway; beyond 1,023 doublings there would be infinity. */
const MAX_DOUBLINGS = 40;

/**
 * The delay before another attempt, growing and jittered (spec/client.md 3.5).
 * @param attempts - how many there were before
 * @returns milliseconds, a whole number
 */
export function backoffDelay(settings: Readonly<BackoffSettings>, attempts: number): number {
  const factor = settings.randomizationFactor;
  const jitter = factor > 0 && factor <= 1 ? 1 + (Math.random() * 2 - 1) * factor : 1;
  const delay = settings.reconnectionDelay * 2 ** Math.min(attempts, MAX_DOUBLINGS) * jitter;
  return Math.trunc(Math.min(delay, settings.reconnectionDelayMax, MAX_DELAY_MS));
}
