import type { ClientSocket } from "./connect-client.js";
import type { InteropSocket } from "./interop-implementation.js";

/**
 * Resolves with every event (`[name, ...args]`) that arrives before one called `fence`. Delivery is in order, so what a
 * fence overtakes was not sent: the way to prove an absence without waiting for it.
 */
export function eventsUntilFence(receiver: ClientSocket | InteropSocket): Promise<unknown[][]> {
  return new Promise((resolve) => {
    const seen: unknown[][] = [];
    const listener = (name: string, ...args: unknown[]): void => {
      if (name !== "fence") {
        seen.push([name, ...args]);
        return;
      }
      receiver.offAny(listener);
      resolve(seen);
    };
    receiver.onAny(listener);
  });
}
