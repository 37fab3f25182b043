import type { io as lookup, ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { nextEvent } from "../../support/next-event.js";

/** The lookup function of a client under test, typed as programs written for the published client know it. */
export type Connect = typeof lookup;
export type ScenarioOptions = Partial<ManagerOptions & SocketOptions>;

/**
 * One way of using a client. It needs a server that {@link file://./scenario-server.ts} has been told to, throws when the
 * client does not do what it should, and depends on no test runner and no host.
 */
export type Scenario = (io: Connect, url: string, options?: ScenarioOptions) => Promise<void>;

/** What scenarios are written with. */
export interface Bench {
  /** Creates a socket with a connection of its own. */
  open(options?: ScenarioOptions, namespace?: string): Socket;
  /** The same, and waits until it is connected and has been upgraded, if its transports can be. */
  connect(options?: ScenarioOptions, namespace?: string): Promise<Socket>;
}

/** Where the server with connection state recovery is, on the same port. */
export const RECOVERY_PATH = "/recovery";

/** Options of a client that comes back at once. */
export const impatient: ScenarioOptions = { reconnection: true, reconnectionDelay: 10, randomizationFactor: 0 };

/** Makes a scenario of what it does; the sockets it opened are closed at its end. */
export function scenario(body: (bench: Bench) => Promise<void>): Scenario {
  return async (io, url, options = {}) => {
    const sockets: Socket[] = [];
    const open: Bench["open"] = (own, namespace = "/") => {
      const socket = io(url + namespace, { forceNew: true, reconnection: false, ...options, ...own });
      sockets.push(socket);
      return socket;
    };
    const connect: Bench["connect"] = async (own, namespace) => {
      const socket = open(own, namespace);
      await nextEvent(socket, "connect");
      const { engine } = socket.io;
      const canUpgrade = (options.transports ?? []).length > 1;
      if (canUpgrade && engine.transport.name === "polling") await nextEvent(engine, "upgrade");
      return socket;
    };
    try {
      await body({ open, connect });
    } finally {
      for (const { io: manager } of sockets) {
        // With the namespaces that were opened on the same connection.
        const { nsps } = manager as unknown as { nsps: Record<string, Socket> };
        for (const socket of Object.values(nsps)) socket.disconnect();
      }
    }
  };
}
