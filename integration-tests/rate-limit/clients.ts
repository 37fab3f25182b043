import { io as ours } from "@plugboard/client";
import { io as stock, type ManagerOptions, type Socket as ClientSocket, type SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";

export type { ClientSocket };
type Options = Partial<ManagerOptions & SocketOptions>;

/** A client with a connection of its own; it is disconnected when the running test finishes. */
export interface TestedClient {
  readonly name: string;
  /** Does not try again unless told so. */
  open(url: string, options?: Options): ClientSocket;
  /** The same, once it is connected. */
  connect(url: string, options?: Options): Promise<ClientSocket>;
}

function testedClient(name: string, io: (url: string, options: Options) => ClientSocket): TestedClient {
  const open = (url: string, options: Options = {}): ClientSocket => {
    const client = io(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
    onTestFinished(() => {
      client.disconnect();
    });
    return client;
  };
  const connect = async (url: string, options?: Options): Promise<ClientSocket> => {
    const client = open(url, options);
    await nextEvent(client, "connect");
    return client;
  };
  return { name, open, connect };
}

/** The published client and ours, which has the same methods. */
export const testedClients: readonly TestedClient[] = [
  testedClient("socket.io-client", stock),
  testedClient("@plugboard/client", ours as unknown as typeof stock),
];
