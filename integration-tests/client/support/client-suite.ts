import type { Server as HttpServer } from "node:http";
import { describe, it, onTestFinished } from "vitest";
import {
  type InteropImplementation,
  type InteropServerOptions,
  type InteropSocket,
  plugboard,
  reference,
} from "../../support/interop-implementation.js";
import { listen, type ListeningServer, type ListenOptions } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import type { ScenarioOptions as ClientOptions } from "../scenarios/scenario.js";
import { type ClientImplementation, clients, type Engine } from "./clients.js";
import type { TransportConstructor } from "./published-packages.js";

export type ClientSocket = ReturnType<ClientImplementation["io"]>;
export type ClientManager = ClientSocket["io"];

/** How a client travels: one transport only, or polling first and then the upgrade. */
export type Travel = "polling" | "websocket" | "upgrade";
export const travels: readonly Travel[] = ["polling", "websocket", "upgrade"];
export const singleTransports: readonly ("polling" | "websocket")[] = ["polling", "websocket"];

export interface OpenOptions extends Omit<ClientOptions, "transports" | "perMessageDeflate"> {
  /** `websocket` by default. */
  travel?: Travel;
  /** Instead: names and classes. */
  transports?: readonly (string | TransportConstructor)[];
  /** Options as the typings of the published client do not know them. */
  [option: string]: unknown;
}

/** What a topic of the client suite is written with. */
export interface ClientContext {
  readonly client: ClientImplementation;
  readonly server: InteropImplementation;
  /** Starts a server on 127.0.0.1; it is closed when the test finishes. */
  startServer(options?: InteropServerOptions, listenOptions?: ListenOptions): Promise<ListeningServer>;
  /** The same, without namespaces: for the lower of the two protocols alone. */
  startEngineServer(options?: InteropServerOptions): Promise<ListeningServer>;
  /** A socket with a connection of its own; it is disconnected when the test finishes. */
  open(url: string, options?: OpenOptions): ClientSocket;
  /** The same, once it is connected and past its upgrade, if there is one. */
  connect(url: string, options?: OpenOptions): Promise<ClientSocket>;
  /** Both ends. */
  connectPair(server: ListeningServer, options?: OpenOptions): Promise<{ socket: ClientSocket; peer: InteropSocket }>;
  /** A manager, which is closed when the test finishes. */
  openManager(url: string, options?: OpenOptions): ClientManager;
  /** An Engine.IO connection to the path of Socket.IO, which is closed when the test finishes. */
  openEngine(url?: string, options?: OpenOptions): Engine;
  /** A test of something the reference gets wrong or does not have; `reason` says what. */
  oursOnly(title: string, reason: string, body: () => Promise<void> | void): void;
}

const pairs: readonly { client: ClientImplementation; server: InteropImplementation }[] = clients.flatMap((client) =>
  (client.ours ? [reference, plugboard] : [reference]).map((server) => ({ client, server })),
);

export function withTransports({ travel = "websocket", ...options }: OpenOptions): ClientOptions {
  return { transports: travel === "upgrade" ? ["polling", "websocket"] : [travel], ...(options as ClientOptions) };
}

/** Runs one topic with every client: ours on every server, and the published one, which proves the tests right. */
export function clientSuite(topic: string, define: (context: ClientContext) => void): void {
  for (const { client, server } of pairs) {
    describe(`${topic} with ${client.name} on ${server.name}`, () => {
      define(createContext(client, server));
    });
  }
}

/** Runs one topic that needs no server of Socket.IO, once with every client. */
export function clientOnlySuite(topic: string, define: (context: ClientContext) => void): void {
  for (const client of clients) {
    describe(`${topic} with ${client.name}`, () => {
      define(createContext(client, reference));
    });
  }
}

function createContext(client: ClientImplementation, server: InteropImplementation): ClientContext {
  const startServer: ClientContext["startServer"] = async (options = {}, listenOptions = {}) => {
    const started = await listen(server, options, listenOptions);
    // Goes before what `listen` does at the end: a connection that is kept by its client would hold that up.
    onTestFinished(() => (started.webServer as HttpServer).closeAllConnections());
    return started;
  };
  const open: ClientContext["open"] = (url, options = {}) => {
    const socket = client.io(url, { forceNew: true, ...withTransports(options) });
    onTestFinished(() => {
      socket.disconnect();
    });
    return socket;
  };
  const connect: ClientContext["connect"] = async (url, options = {}) => {
    const socket = open(url, options);
    await nextEvent(socket, "connect");
    if (options.travel === "upgrade") await untilUpgraded(socket.io.engine);
    return socket;
  };
  return {
    client,
    server,
    startServer,
    async startEngineServer(options) {
      const started = await startServer(options);
      // Without namespaces nobody reads the messages but the test.
      started.io.engine.removeAllListeners("connection");
      return started;
    },
    open,
    connect,
    async connectPair({ io, url }, options = {}) {
      const accepted = nextEvent<[InteropSocket]>(io, "connection");
      const [socket, [peer]] = await Promise.all([connect(url, options), accepted]);
      if (options.travel === "upgrade") await untilUpgraded(peer.conn);
      return { socket, peer };
    },
    openManager(url, options = {}) {
      const manager = new client.Manager(url, withTransports(options));
      onTestFinished(() => manager._close());
      return manager;
    },
    openEngine(url, options = {}) {
      const engine = new client.Engine(url, { path: "/socket.io", ...withTransports(options) });
      onTestFinished(() => {
        engine.close();
      });
      return engine;
    },
    oursOnly(title, reason, body) {
      if (client.ours) it(`${title} (unlike the reference: ${reason})`, body);
    },
  };
}

async function untilUpgraded(connection: object): Promise<void> {
  const { transport } = connection as { transport: { name: string } };
  if (transport.name === "polling") await nextEvent(connection, "upgrade");
}
