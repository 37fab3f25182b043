import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { FlakyConditions } from "./flaky-flow.js";
import { FlakyLink } from "./flaky-link.js";
import { Random } from "./fuzz/random.js";

export interface FlakyProxyOptions extends Partial<FlakyConditions> {
  /** Of the server, on 127.0.0.1. */
  readonly targetPort: number;
  /** The same seed makes the same decisions, link by link in the order of their arrival. Default: a random one. */
  readonly seed?: number;
  /** Decides what will happen to a new link, with numbers that are its own. */
  readonly onLink?: (link: FlakyLink, random: Random) => void;
}

/** A TCP proxy on loopback that does to connections what networks do. As it is, it hands everything on. */
export class FlakyProxy {
  readonly seed: number;
  /** How bytes travel, on links that are open too. */
  readonly conditions: FlakyConditions;
  /** As in the options. */
  onLink: (link: FlakyLink, random: Random) => void;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #links: Set<FlakyLink> = new Set();
  readonly #sockets: Set<Socket> = new Set();
  #linkCount = 0;
  #refusals = 0;

  private constructor(options: FlakyProxyOptions) {
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
    this.conditions = { delayMs: options.delayMs ?? 0, maxPieceBytes: options.maxPieceBytes ?? Infinity };
    this.#targetPort = options.targetPort;
    this.onLink = options.onLink ?? (() => {});
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(options: FlakyProxyOptions): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(options);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Links that nothing was cut of, in the order of their arrival. */
  get links(): FlakyLink[] {
    return [...this.#links].filter((link) => link.isOpen);
  }

  /** Links so far, open or not; those refused do not count. */
  get linkCount(): number {
    return this.#linkCount;
  }

  /** The next connections are reset as soon as they are there: this many, or until `accept`. */
  refuse(count: number = Infinity): void {
    this.#refusals = count;
  }

  accept(): void {
    this.#refusals = 0;
  }

  /** Ends all there is, with a reset. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    if (this.#refusals > 0) {
      this.#refusals--;
      client.on("error", () => {}).resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const random = new Random(this.seed, this.#linkCount++);
    const link = new FlakyLink(client, server, this.conditions, random);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    }
    this.onLink(link, random);
  }
}
