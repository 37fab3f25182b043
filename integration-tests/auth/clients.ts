import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";

export type ClientOptions = Omit<Partial<ManagerOptions & SocketOptions>, "auth"> & {
  /** The published one takes the first two. */
  auth?: object | ((answer: (auth: object) => void) => void) | (() => Promise<object>);
};

export interface ClientKind {
  readonly client: StockOrOurs;
  readonly transport: "polling" | "websocket";
  readonly name: string;
  /** Whether it is the published client, which knows nothing of credentials. */
  readonly isStock: boolean;
}

const [stock, ours] = bothClients as [StockOrOurs, StockOrOurs];
const kindOf = (client: StockOrOurs, transport: ClientKind["transport"]): ClientKind => ({
  client,
  transport,
  name: `${client.name} over ${transport}`,
  isStock: client === stock,
});

export const stockOverPolling = kindOf(stock, "polling");
export const stockOverWebSocket = kindOf(stock, "websocket");
export const oursOverPolling = kindOf(ours, "polling");
export const oursOverWebSocket = kindOf(ours, "websocket");
export const clients = [stockOverPolling, stockOverWebSocket, oursOverPolling, oursOverWebSocket];

/** Opens a client that reconnects soon. */
export function open({ client, transport }: ClientKind, url: string, options: ClientOptions = {}): Socket {
  const all = { reconnection: true, reconnectionDelay: 50, transports: [transport], ...options };
  return client.open(url, all as Partial<ManagerOptions & SocketOptions>);
}

/** The error of a refused connect. */
export interface ConnectError extends Error {
  readonly data?: { readonly code?: string };
}
