import { onTestFinished, vi } from "vitest";
import type { ClientImplementation } from "./clients.js";
import { type EngineConstructor, freshPublishedEngine } from "./published-packages.js";

/** What a client sees of the page it runs in: its events. */
export interface Page {
  /** The engine of a client that was loaded in this page. */
  readonly Engine: EngineConstructor;
  dispatch(event: string): void;
  on(event: string, listener: () => void): void;
  /** How many listeners there are now. */
  listenerCount(event: string): number;
}

/** Loads a client once more, as if this were a page until the test finishes. */
export async function loadInPage(client: ClientImplementation): Promise<Page> {
  const listeners = new Map<string, Set<() => void>>();
  const of = (event: string): Set<() => void> => {
    const set = listeners.get(event) ?? new Set();
    listeners.set(event, set);
    return set;
  };
  vi.stubGlobal("addEventListener", (event: string, listener: () => void) => of(event).add(listener));
  vi.stubGlobal("removeEventListener", (event: string, listener: () => void) => of(event).delete(listener));
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return {
    Engine: client.ours ? await freshEngineOfOurs() : freshPublishedEngine().Socket,
    dispatch: (event) => {
      for (const listener of of(event)) listener();
    },
    on: (event, listener) => void of(event).add(listener),
    listenerCount: (event) => of(event).size,
  };
}

async function freshEngineOfOurs(): Promise<EngineConstructor> {
  vi.resetModules();
  const { plugboardClient } = await import("./clients.js");
  return plugboardClient.Engine;
}
