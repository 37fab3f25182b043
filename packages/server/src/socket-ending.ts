import type { Room } from "./adapter-contract.js";
import type { NamespacePart, SocketPart } from "./parts.js";

/** Name of the event by which a node asks the others to end sockets. `plugboard:` begins those of our own packages. */
export const END_SOCKETS = "plugboard:end-sockets";

/**
 * How sockets are ended: `rehandshake` closes their connections as if they were lost, so that stock clients come back and
 * all middlewares run; `disconnect` tells the clients, which then stay away.
 */
export type SocketEnding = "rehandshake" | "disconnect";

/** Which sockets are to be ended, in all namespaces. */
export interface EndingOrder {
  readonly rooms: readonly Room[];
  readonly how: SocketEnding;
  /** Description of the `disconnect` event, with `rehandshake`. */
  readonly reason?: string | undefined;
}

/** What another node has sent may be anything. */
export function isEndingOrder(value: unknown): value is EndingOrder {
  const { rooms, how, reason } = (value ?? {}) as Record<string, unknown>;
  return (
    Array.isArray(rooms) &&
    rooms.every((room) => typeof room === "string") &&
    (how === "rehandshake" || how === "disconnect") &&
    (reason === undefined || reason === null || typeof reason === "string")
  );
}

/** Ends the sockets of this node. */
export function endSockets(namespaces: Iterable<NamespacePart>, { rooms, how, reason }: EndingOrder): void {
  for (const namespace of namespaces) {
    for (const room of rooms) {
      // A copy: they leave the room.
      for (const id of Array.from(namespace.adapter.rooms.get(room) ?? [])) {
        end(namespace.sockets.get(id), how, reason);
        // Its middlewares still run. Nothing has been agreed with its client: it may try again.
        end(namespace._preConnectSockets.get(id), "rehandshake", reason);
      }
    }
  }
}

function end(socket: SocketPart | undefined, how: SocketEnding, reason: string | undefined | null): void {
  if (how === "rehandshake") socket?.client._rehandshake(reason ?? undefined);
  else socket?.disconnect(true);
}
