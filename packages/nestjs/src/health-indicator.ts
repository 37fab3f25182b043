import type { SocketIoAdapter } from "./socket-io-adapter.js";

/** In the shape that indicators of `@nestjs/terminus` give. */
export type SocketIoHealth = Record<
  string,
  {
    readonly status: "up" | "down";
    readonly connections: number;
    readonly namespaces: number;
    readonly message?: string;
  }
>;

/** Tells whether sockets are served, for `HealthCheckService.check([() => indicator.isHealthy()])` of `@nestjs/terminus`. */
export class SocketIoHealthIndicator {
  readonly #adapter: SocketIoAdapter;

  constructor(adapter: SocketIoAdapter) {
    this.#adapter = adapter;
  }

  /**
   * `down` before the server is attached, while it closes, and with more connections than it should have.
   *
   * @param key - name of the entry. Default: `"socketIo"`
   * @param limits - `maxConnections`: of this process. Default: no limit
   */
  isHealthy(key: string = "socketIo", limits: { maxConnections?: number } = {}): SocketIoHealth {
    const { maxConnections = Number.POSITIVE_INFINITY } = limits;
    const { server, isServing } = this.#adapter;
    const connections = isServing ? server.engine.clientsCount : 0;
    const namespaces = server._nsps.size;
    const message = isServing
      ? connections > maxConnections
        ? `more than ${maxConnections} connections`
        : undefined
      : "the server takes no connections";
    if (message === undefined) return { [key]: { status: "up", connections, namespaces } };
    return { [key]: { status: "down", connections, namespaces, message } };
  }
}
