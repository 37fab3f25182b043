import { io as ours } from "@plugboard/client";
import { io as stock, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";

export type ClientOptions = Omit<Partial<ManagerOptions & SocketOptions>, "auth"> & {
  /** The published one takes the first two. */
  auth?: object | ((answer: (auth: object) => void) => void) | (() => Promise<object>);
};

/** The published client and ours, on either transport. */
export const clients = [
  { client: "socket.io-client", transport: "polling" },
  { client: "socket.io-client", transport: "websocket" },
  { client: "@plugboard/client", transport: "polling" },
  { client: "@plugboard/client", transport: "websocket" },
] as const;
export type ClientKind = (typeof clients)[number];

/** Opens a client with a connection of its own, which is disconnected when the running test finishes. */
export function open({ client, transport }: ClientKind, url: string, options: ClientOptions = {}): Socket {
  const connect = (client === "@plugboard/client" ? ours : stock) as (url: string, options: object) => Socket;
  const socket = connect(url, { forceNew: true, transports: [transport], reconnectionDelay: 50, ...options });
  onTestFinished(() => {
    socket.disconnect();
  });
  return socket;
}

/** The error of a refused connect. */
export interface ConnectError extends Error {
  readonly data?: { readonly code?: string };
}
