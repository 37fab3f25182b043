import { onTestFinished } from "vitest";
import { io as io48, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { io as io40 } from "socket.io-client-4.0";
import { io as io44 } from "socket.io-client-4.4";
import { io as io46 } from "socket.io-client-4.6";
import type { InteropServer, InteropSocket } from "./interop-implementation.js";
import { nextEvent } from "./next-event.js";

export type ClientSocket = Socket;
export type ClientVersion = "4.0" | "4.4" | "4.6" | "4.8";
type Connect = (url: string, options: Partial<ManagerOptions & SocketOptions>) => ClientSocket;

/** Older releases have typings of their own; the part used here did not change between 4.0 and 4.8. */
const connectOf: Record<ClientVersion, Connect> = {
  "4.0": io40 as unknown as Connect,
  "4.4": io44 as unknown as Connect,
  "4.6": io46 as unknown as Connect,
  "4.8": io48,
};
export const clientVersions = Object.keys(connectOf) as ClientVersion[];

/** How a client travels: one transport only, or polling first and then the upgrade. */
export type Travel = "polling" | "websocket" | "upgrade";
export const travels: readonly Travel[] = ["polling", "websocket", "upgrade"];
export const singleTransports: readonly ("polling" | "websocket")[] = ["polling", "websocket"];

export interface ClientOptions extends Partial<ManagerOptions & SocketOptions> {
  /** `websocket` by default. */
  travel?: Travel;
  /** The newest by default. */
  version?: ClientVersion;
}

/** Creates a client with a connection of its own, which is disconnected when the running test finishes. */
export function openClient(
  url: string,
  { travel = "websocket", version = "4.8", ...options }: ClientOptions = {},
): ClientSocket {
  const client = connectOf[version](url, {
    forceNew: true,
    reconnection: false,
    transports: travel === "upgrade" ? ["polling", "websocket"] : [travel],
    ...options,
  });
  onTestFinished(() => {
    client.disconnect();
  });
  return client;
}

/** Opens a client and resolves once it is connected and, for `upgrade`, has left polling behind. */
export async function connectClient(url: string, options: ClientOptions = {}): Promise<ClientSocket> {
  const client = openClient(url, options);
  await nextEvent(client, "connect");
  if (options.travel === "upgrade" && client.io.engine.transport.name === "polling") {
    await nextEvent(client.io.engine, "upgrade");
  }
  return client;
}

/** Connects a client and resolves with both ends, each of them past its upgrade if there is one. */
export async function connectPair(
  server: { readonly io: InteropServer; readonly url: string },
  options: ClientOptions & { namespace?: string } = {},
): Promise<{ client: ClientSocket; socket: InteropSocket }> {
  const { namespace = "/", ...clientOptions } = options;
  const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");
  const connected = connectClient(server.url + namespace, clientOptions);
  const [socket] = await accepted;
  if (options.travel === "upgrade" && socket.conn.transport.name === "polling") await nextEvent(socket.conn, "upgrade");
  return { client: await connected, socket };
}
