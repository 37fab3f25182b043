import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How long a connection may be silent while the server closes, in milliseconds; twice that at most. */
const SILENCE_MS = 250;

/**
 * The connections of an HTTP server on which no request is running. One that has sent nothing yet, or half a request, is not
 * idle for Node, which then waits for it, and has stopped looking at its own timeouts: it would hold up a server that closes for ever.
 */
export class SilentConnections {
  readonly #server: HttpServer;
  /** How many requests are running on each. Upgraded ones are not among them. */
  readonly #running = new Map<Socket, number>();
  /** Upgraded ones, with how much had been written to each by then: nobody need have taken it. */
  readonly #upgraded = new Map<Socket, number>();
  /** Of TLS, before the handshake is over: by the address of the client, for another object stands for them then. */
  readonly #handshaking = new Map<string, Socket>();

  readonly #onClose: (this: Socket) => void;

  constructor(server: HttpServer) {
    this.#server = server;
    const [running, upgraded] = [this.#running, this.#upgraded];
    this.#onClose = function () {
      running.delete(this);
      upgraded.delete(this);
    };
  }

  /** To be told of each event of the server. */
  note(event: string | symbol, args: readonly unknown[]): void {
    if (event === "request") this.#begin(args[0] as IncomingMessage, args[1] as ServerResponse);
    else if (event === "connection" || event === "secureConnection") this.#add(event, args[0] as Socket);
    else if (event === "upgrade" || event === "connect") this.#leave((args[0] as IncomingMessage).socket);
  }

  /** Ends those that are silent, until the server has closed. */
  sweep(onClosed: () => void): void {
    let before = new Set<Socket>();
    const timer = setInterval(() => {
      const silent = this.#silent();
      for (const socket of silent) {
        if (before.has(socket)) socket.destroy();
      }
      before = silent;
    }, SILENCE_MS).unref();
    this.#server.once("close", () => {
      clearInterval(timer);
      onClosed();
    });
  }

  #silent(): Set<Socket> {
    const silent = new Set(this.#handshaking.values());
    for (const [socket, running] of this.#running) {
      if (running === 0) silent.add(socket);
    }
    for (const [socket, bytesBefore] of this.#upgraded) {
      if (socket.bytesWritten === bytesBefore) silent.add(socket);
    }
    return silent;
  }

  #add(event: string, socket: Socket): void {
    const client = `${socket.remoteAddress} ${socket.remotePort}`;
    if (event === "connection" && "setSecureContext" in this.#server) {
      this.#handshaking.set(client, socket);
      socket.once("close", () => this.#handshaking.delete(client));
      return;
    }
    this.#handshaking.delete(client);
    this.#running.set(socket, 0);
    this.#upgraded.delete(socket);
    // An upgrade that nobody wanted is announced once more, as a connection.
    socket.off("close", this.#onClose).once("close", this.#onClose);
  }

  #leave(socket: Socket): void {
    if (this.#running.delete(socket)) this.#upgraded.set(socket, socket.bytesWritten);
  }

  #begin({ socket }: IncomingMessage, res: ServerResponse): void {
    const running = this.#running.get(socket);
    if (running === undefined) return;
    this.#running.set(socket, running + 1);
    res.once("close", () => {
      const left = this.#running.get(socket);
      if (left !== undefined) this.#running.set(socket, left - 1);
    });
  }
}
