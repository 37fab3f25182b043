import { AsyncResource } from "node:async_hooks";
import { Agent } from "node:http";
import { isIP, type AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { MemorySocket, type Endpoint } from "./memory-socket.js";
import { nativeTimers, soon } from "./soon.js";
import { isClosed, watchClosing, webServerOf, type AnyServer, type WebServer } from "./web-server.js";

/** Options of {@link memoryAgent}. */
export interface MemoryAgentOptions {
  /** IP address the server sees the client at, as in `socket.handshake.address`. Default: `127.0.0.1`. */
  remoteAddress?: string;
}

/** Servers hear nothing of the `AsyncLocalStorage` of the test, as little as those behind a port do. */
const serverScope = new AsyncResource("PLUGBOARD_MEMORY_SERVER");

/** The ports that systems give to clients. */
const [FIRST_PORT, LAST_PORT] = [49_152, 65_535];
let lastPort = LAST_PORT;

/** How long connections may take to end by themselves. */
const DRAIN_MS = 1000;

/** An `http.Agent` whose connections are in memory. */
export class MemoryAgent extends Agent {
  /** What Node compares with the protocol of a URL. TLS itself is left out: the server takes the bytes for decrypted ones. */
  readonly protocol: "http:" | "https:";
  readonly #server: WebServer;
  readonly #remote: Omit<Endpoint, "port">;
  readonly #connections = new Set<Duplex>();
  #isDraining = false;

  constructor(server: WebServer, remoteAddress = "127.0.0.1") {
    // As with the agents of our client a poll follows on a poll.
    super({ keepAlive: true });
    const version = isIP(remoteAddress);
    if (version === 0) throw new TypeError(`remoteAddress is no IP address: ${remoteAddress}`);
    this.#remote = { address: remoteAddress, family: `IPv${version as 4 | 6}` };
    this.#server = server;
    this.protocol = server instanceof TlsServer ? "https:" : "http:";
    watchClosing(server);
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    lastPort = lastPort === LAST_PORT ? FIRST_PORT : lastPort + 1;
    const remote = { ...this.#remote, port: lastPort };
    const local = this.#localEndpoint();
    const scope = new AsyncResource("PLUGBOARD_MEMORY_CLIENT");
    const client = new MemorySocket({ local: remote, remote: local, allowHalfOpen: false, scope });
    if (isClosed(this.#server)) {
      callback?.(refusedBy(local), client);
      return undefined;
    }
    const server = new MemorySocket({ local, remote, allowHalfOpen: true, scope: serverScope });
    MemorySocket.join(client, server);
    for (const socket of [client, server]) {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
    }
    soon(() => serverScope.runInAsyncScope(() => this.#announce(server)));
    return client;
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return !this.#isDraining && (super.keepSocketAlive(socket) as unknown as boolean);
  }

  /** Resolves when all connections have ended, at both ends. Those that do not within a second are cut. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    const timer = nativeTimers.setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, DRAIN_MS);
    while (this.#connections.size > 0) {
      const [socket] = this.#connections as Set<Duplex> & [Duplex];
      await new Promise<void>((resolve) => socket.once("close", resolve));
    }
    nativeTimers.clearTimeout(timer);
  }

  #localEndpoint(): Endpoint {
    const { family } = this.#remote;
    const { port } = (this.#server.address() ?? {}) as Partial<AddressInfo>;
    return {
      address: family === "IPv4" ? "127.0.0.1" : "::1",
      family,
      port: port ?? (this.protocol === "https:" ? 443 : 80),
    };
  }

  #announce(socket: MemorySocket): void {
    const server = this.#server;
    if (this.protocol === "http:") server.emit("connection", socket);
    // Like a socket of TLS behind its handshake, on which no other protocol was agreed upon.
    else server.emit("secureConnection", Object.assign(socket, { server, encrypted: true, alpnProtocol: false }));
  }
}

function refusedBy({ address, port }: Endpoint): Error {
  const details = { code: "ECONNREFUSED", syscall: "connect", address, port };
  return Object.assign(new Error(`connect ECONNREFUSED ${address}:${port}`), details);
}

/**
 * An `http.Agent` whose connections are in memory and end in a server of this process, whether that listens or not: for
 * `socket.io-client`, `ws`, `http.request` and whatever else takes an agent. The host of the URL does not matter. To a server
 * with TLS the URL says `https:`; TLS itself is left out, and `socket.encrypted` is true.
 *
 * Once the server was closed, connections are refused with `ECONNREFUSED` until it listens again.
 *
 * @param target - an HTTP server; or a Socket.IO server, which is attached to a new one that never listens if it has none
 * @throws TypeError when it is neither, or when `remoteAddress` is no IP address
 * @throws Error when the Socket.IO server was bound to an engine instead of attached
 */
export function memoryAgent(target: WebServer | AnyServer, options: MemoryAgentOptions = {}): Agent {
  return new MemoryAgent(webServerOf(target), options.remoteAddress);
}
