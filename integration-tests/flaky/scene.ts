import { FlakyProxy } from "@plugboard/testkit";
import type { ServerOptions } from "@plugboard/server";
import type { ManagerOptions, SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import type { ClientImplementation } from "../client/support/clients.js";
import type { ClientSocket, Travel } from "../support/connect-client.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";
import { serve } from "../support/serve.js";

export type FlakyClientOptions = Partial<ManagerOptions & SocketOptions>;

/** Opens a client that comes back at once. It is disconnected when the running test finishes. */
export function openImpatient(
  implementation: ClientImplementation,
  url: string,
  { travel = "websocket", ...options }: FlakyClientOptions & { readonly travel?: Travel },
): ClientSocket {
  const client = implementation.io(url, {
    forceNew: true,
    transports: travel === "upgrade" ? ["polling", "websocket"] : [travel],
    reconnectionDelay: 1,
    reconnectionDelayMax: 5,
    timeout: 300,
    ...options,
  });
  onTestFinished(() => {
    client.disconnect();
  });
  return client;
}

/** A client that is connected to our server through a proxy, over WebSocket. */
export interface Scene {
  readonly server: ListeningServer;
  readonly proxy: FlakyProxy;
  readonly client: ClientSocket;
  /** Its first socket on the server. */
  readonly socket: InteropSocket;
  /** What the server has heard on any of its sockets: the first argument of each "say", in order. */
  readonly heard: string[];
  /** Resets all connections. Resolves once the client is connected again. */
  cut(): Promise<void>;
  /** Resolves once the server has heard what the client sent on this connection. */
  settled(): Promise<void>;
}

export async function openScene(
  implementation: ClientImplementation,
  serverOptions: Partial<ServerOptions> = {},
  clientOptions: FlakyClientOptions = {},
): Promise<Scene> {
  const server = await serve(serverOptions);
  const proxy = await FlakyProxy.listen({ targetPort: server.port });
  onTestFinished(() => proxy.close());
  const heard: string[] = [];
  server.io.on("connection", (socket) => {
    socket.on("say", (what: string, answer?: (echo: string) => void) => {
      heard.push(what);
      answer?.(what);
    });
    socket.on("fence", (answer: () => void) => answer());
  });
  const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
  const client = openImpatient(implementation, proxy.url, { timeout: 20_000, ...clientOptions });
  await nextEvent(client, "connect");
  const [socket] = await accepted;
  return {
    server,
    proxy,
    client,
    socket,
    heard,
    cut: async () => {
      const back = nextEvent(client, "connect");
      for (const link of proxy.links) link.reset();
      await back;
    },
    settled: () => new Promise((resolve) => client.emit("fence", () => resolve())),
  };
}
