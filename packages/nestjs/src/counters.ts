import type { Namespace, Server, Socket } from "@plugboard/server";
import type { Ack } from "./event-call.js";

/** What has happened in this process since counting began. */
export interface SocketIoCounts {
  /** Connections that are open now. */
  readonly connections: number;
  /** Sockets that are connected now, in all namespaces: a connection has one in each that it has joined. */
  readonly sockets: number;
  readonly connectionsTotal: number;
  readonly socketsTotal: number;
  /**
   * Handshakes that the server has refused, by `checkOrigin`, `allowRequest`, limits and the rules of the protocol. What a
   * middleware or hook of the platform refuses is an answer of HTTP like others, and left to metrics of HTTP.
   */
  readonly refusedHandshakes: number;
  /** Sockets that guards and middlewares of gateways and of `forFeature` have refused: `connect_error`. */
  readonly refusedSockets: number;
  /** Events that gateways had handlers for. */
  readonly events: number;
  /** Those of them that were acknowledged, with an error or without. */
  readonly acks: number;
  /**
   * What handlers have thrown, and guards, pipes and interceptors before them; what `handleConnection` has; handlers that took
   * too long. With `acks: "compat"`, `handleConnection` alone.
   */
  readonly errors: number;
  /** Sockets that have left, by reason, such as `"transport close"`. */
  readonly disconnects: Readonly<Record<string, number>>;
}

/** Counts what happens on the servers of an application, each thing in constant time. */
export class Counters {
  refusedSockets = 0;
  errors = 0;
  #connections = 0;
  #sockets = 0;
  #refusedHandshakes = 0;
  #events = 0;
  #acks = 0;
  /** By reason, of which there is a handful. */
  readonly #disconnects = new Map<string, number>();
  readonly #servers: Server[] = [];

  /** @param io - attached already */
  countIn(io: Server): void {
    this.#servers.push(io);
    io.engine.on("connection", () => void this.#connections++);
    io.engine.on("connection_error", () => void this.#refusedHandshakes++);
    for (const namespace of io._nsps.values()) this.#countSockets(namespace);
    io.on("new_namespace", (namespace) => this.#countSockets(namespace));
  }

  #countSockets(namespace: Namespace): void {
    namespace.on("connection", (socket: Socket) => {
      this.#sockets++;
      socket.once("disconnect", (reason) => {
        this.#disconnects.set(reason, (this.#disconnects.get(reason) ?? 0) + 1);
      });
    });
  }

  /** Counts an event, and gives what counts its acknowledgement. */
  countEvent(ack: Ack | undefined): Ack | undefined {
    this.#events++;
    if (ack === undefined) return undefined;
    let isAnswered = false;
    return (...answer) => {
      if (!isAnswered) this.#acks++;
      isAnswered = true;
      ack(...answer);
    };
  }

  read(): SocketIoCounts {
    let connections = 0;
    let sockets = 0;
    for (const { engine, _nsps } of this.#servers) {
      connections += engine.clientsCount;
      for (const namespace of _nsps.values()) sockets += namespace.sockets.size;
    }
    return {
      connections,
      sockets,
      connectionsTotal: this.#connections,
      socketsTotal: this.#sockets,
      refusedHandshakes: this.#refusedHandshakes,
      refusedSockets: this.refusedSockets,
      events: this.#events,
      acks: this.#acks,
      errors: this.errors,
      disconnects: Object.fromEntries(this.#disconnects),
    };
  }
}
