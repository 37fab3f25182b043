import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import { clients, type ClientImplementation } from "../client/support/clients.js";

export type TransportName = "polling" | "websocket";

/** Each client over each transport. */
export const routes: ReadonlyArray<{ client: ClientImplementation; transport: TransportName; name: string }> =
  clients.flatMap((client) =>
    (["polling", "websocket"] as const).map((transport) => ({
      client,
      transport,
      name: `${client.name}, ${transport}`,
    })),
  );

/** A client with a connection of its own that does not come back, unless told to; disconnected when the test finishes. */
export function openClient(
  client: ClientImplementation,
  url: string,
  options: Partial<ManagerOptions & SocketOptions>,
): Socket {
  const socket = client.io(url, { forceNew: true, reconnection: false, ...options });
  onTestFinished(() => void socket.disconnect());
  return socket;
}
