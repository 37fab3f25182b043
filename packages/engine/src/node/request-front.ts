import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Stands in front of the `request` listeners of an HTTP server. Node knows no way to stop an event, so the listeners found
 * are taken off and called from here with the requests that are not taken; `leave` puts them back.
 */
export class RequestFront {
  readonly #server: HttpServer;
  readonly #take: (req: IncomingMessage, res: ServerResponse) => boolean;
  readonly #behind: readonly Listener[];

  /** @param take - says whether it has taken a request: then nobody else gets it */
  constructor(server: HttpServer, take: (req: IncomingMessage, res: ServerResponse) => boolean) {
    this.#server = server;
    this.#take = take;
    // With the wrappers of `once`, which are to fire once and not for ever.
    this.#behind = server.rawListeners("request") as Listener[];
    for (const listener of this.#behind) server.off("request", listener);
    server.on("request", this.#onRequest);
  }

  /**
   * Leaves the listeners as they were found, with those added since. If somebody has come to stand in front of this one
   * and calls it among his own, it goes on passing requests: `take` has to refuse them all from now on.
   */
  leave(): void {
    const listeners = this.#server.rawListeners("request") as Listener[];
    if (!listeners.includes(this.#onRequest)) return;
    for (const listener of listeners) this.#server.off("request", listener);
    for (const listener of listeners) {
      for (const each of listener === this.#onRequest ? this.#behind : [listener]) this.#server.on("request", each);
    }
  }

  readonly #onRequest: Listener = (req, res) => {
    if (this.#take(req, res)) return;
    for (const listener of this.#behind) listener.call(this.#server, req, res);
  };
}
