import type { Socket } from "node:net";

/**
 * Resolves when a connection is closed. Unlike `once` of `node:events` it takes a reset for an end: that is what comes
 * back for bytes that were written while the server closed.
 */
export function whenClosed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
