import { EventError } from "@plugboard/server";

/** Code of every refusal of this package. */
export const RATE_LIMITED = "SIO_RATE_LIMITED";

/** Somebody has done something too often, and may again in so many milliseconds. */
export interface Excess {
  readonly retryAfterMs: number;
}

/** What the client reads where an event of it was refused. */
export function tooManyEvents({ retryAfterMs }: Excess): EventError {
  return new EventError(RATE_LIMITED, "Too many events", { retryAfterMs });
}
