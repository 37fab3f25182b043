import { io as connectOurs } from "@plugboard/client";
import { io as connectPublished, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import { nextEvent } from "./next-event.js";

export interface StockOrOurs {
  readonly name: string;
  /** Makes a client with a connection of its own over WebSocket, which ends with the running test. */
  open(url: string, options?: Partial<ManagerOptions & SocketOptions>): Socket;
  /** The same, once it is connected. */
  connect(url: string, options?: Partial<ManagerOptions & SocketOptions>): Promise<Socket>;
}

/** The published client and ours, typed as the published one. */
export const bothClients: readonly StockOrOurs[] = [
  clientOf("socket.io-client", connectPublished),
  clientOf("@plugboard/client", connectOurs as unknown as typeof connectPublished),
];

function clientOf(name: string, lookup: typeof connectPublished): StockOrOurs {
  const open: StockOrOurs["open"] = (url, options) => {
    const socket = lookup(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
    onTestFinished(() => void socket.disconnect());
    return socket;
  };
  return {
    name,
    open,
    async connect(url, options) {
      const socket = open(url, options);
      await nextEvent(socket, "connect");
      return socket;
    },
  };
}
