import { AsyncLocalStorage } from "node:async_hooks";
import type { JsonData } from "./json-data.js";
import type { Turns } from "./turns.js";

export type Change = (data: JsonData) => unknown;

/**
 * Code that has the turn with a session right now, and what it works on. Who wants to change the same session within it
 * must not wait for the turn to end: the change is applied to what is being worked on.
 */
export interface Holding {
  readonly turns: Turns;
  readonly id: string | undefined;
  /** Whether it has the turn. */
  readonly open: boolean;
  /** Within which it began. */
  readonly parent: Holding | undefined;
  /** Applies a change, after those that came before it; one that fails changes nothing. Resolves to the data. */
  apply(change: Change): Promise<JsonData>;
}

/** Holdings of the code that runs, the innermost first by `parent`. */
export const holdings: AsyncLocalStorage<Holding | undefined> = new AsyncLocalStorage<Holding | undefined>();

/** The innermost holding of a session, if the code that runs is within one. */
export function holdingOf(turns: Turns, id: string): Holding | undefined {
  let holding = holdings.getStore();
  while (holding !== undefined && !(holding.open && holding.turns === turns && holding.id === id)) {
    holding = holding.parent;
  }
  return holding;
}
