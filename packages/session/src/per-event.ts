import { EventEmitter } from "node:events";
import { EventError, type Socket } from "@plugboard/server";
import { holdings } from "./holding.js";
import type { Draft } from "./draft.js";

type AnySocket = Socket<any, any, any, any, any>;
type Listener = (...args: unknown[]) => unknown;

/** What the listeners of one event have returned so far. */
const running = new WeakMap<object, unknown[]>();

/**
 * Gives each event of a socket a turn with its session: the session is loaded before the listeners are called, and saved,
 * if it was changed, when all of them are done. When one fails nothing is saved.
 *
 * @param runInTurn - runs code with a fresh draft in a turn, and saves afterwards
 */
export function giveEventsTurns(
  socket: AnySocket,
  runInTurn: (code: (draft: Draft) => Promise<void>) => Promise<unknown>,
  onFailure: (event: readonly unknown[], error: unknown) => void,
): void {
  socket.use((event, next) => {
    let delivered = false;
    const deliver = async (draft: Draft): Promise<void> => {
      const results: unknown[] = [];
      running.set(draft, results);
      delivered = true;
      next();
      await Promise.all(results);
    };
    runInTurn(deliver).catch((error: unknown) => {
      const last: unknown = event.at(-1);
      if (delivered) {
        // A listener failed: its error is reported where all are.
        if (error instanceof FailedListener) return;
        return onFailure(event, error);
      }
      if (typeof last === "function") (last as Listener)(answerFor(error));
      next(error as Error);
    });
  });
  // The listeners that are about to be called: what they return is waited for.
  const rawListeners = EventEmitter.prototype.rawListeners.bind(socket as unknown as EventEmitter);
  const followed = (event: string | symbol): Listener[] => {
    const listeners = rawListeners(event) as Listener[];
    const holding = holdings.getStore();
    const results = holding?.open ? running.get(holding) : undefined;
    return results === undefined ? listeners : listeners.map((listener) => follow(listener, results));
  };
  Object.defineProperty(socket, "rawListeners", { value: followed, configurable: true, writable: true });
}

class FailedListener extends Error {}

function follow(listener: Listener, results: unknown[]): Listener {
  return function (this: unknown, ...args) {
    try {
      const result = Reflect.apply(listener, this, args);
      if (result instanceof Promise) {
        const done = result.catch(() => Promise.reject(new FailedListener()));
        done.catch(() => {});
        results.push(done);
      }
      return result;
    } catch (error) {
      const failed = Promise.reject(new FailedListener());
      failed.catch(() => {});
      results.push(failed);
      throw error;
    }
  };
}

function answerFor(error: unknown): object {
  const known = (error as { name?: unknown } | undefined)?.name === "EventError";
  const { code, message } = known ? (error as EventError) : new EventError("SIO_INTERNAL_ERROR", "Internal server error");
  return { status: "error", code, message };
}
