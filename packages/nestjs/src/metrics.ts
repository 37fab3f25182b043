import { Inject } from "@nestjs/common";
import type { Counters, SocketIoCounts } from "./counters.js";
import { SocketIoAdapter } from "./socket-io-adapter.js";

/**
 * Counts connections, events and failures, from when it is made: `providers: [SocketIoMetrics]` in a module of the application,
 * or `new SocketIoMetrics(adapter)` where no `SocketIoModule` is imported. Nothing is counted without it; several count together.
 */
export class SocketIoMetrics {
  readonly #counters: Counters;

  constructor(adapter: SocketIoAdapter) {
    this.#counters = adapter.startCounting();
  }

  /** The numbers of this moment. Adding them up takes the longer the more namespaces there are, whatever the number of sockets. */
  read(): SocketIoCounts {
    return this.#counters.read();
  }
}
Inject(SocketIoAdapter)(SocketIoMetrics, undefined, 0);
