import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { engineUrlPrefix, type AttachOptions } from "../options.js";

/** What an attachment passes on: the requests and upgrades of its path, and the server's own life. */
export interface AttachmentTarget {
  readonly acceptsUpgrades: boolean;
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  onServerClose(): void;
}

type Listener = (...args: unknown[]) => void;

/** Upgrade listeners of ours, in whatever engine: they do not count as somebody else who might take an upgrade. */
const ownUpgradeListeners = new WeakSet<object>();

/**
 * Puts an engine in front of the `request` listeners of an HTTP server. Node knows no way to stop an event, so the
 * listeners found are taken off and called by ours when the URL is not ours; `detach` puts them back.
 */
export class Attachment {
  readonly prefix: string;
  readonly #server: HttpServer;
  readonly #target: AttachmentTarget;
  readonly #options: AttachOptions;
  readonly #requestListeners: Listener[];

  constructor(server: HttpServer, target: AttachmentTarget, options: AttachOptions) {
    this.prefix = engineUrlPrefix(options);
    this.#server = server;
    this.#target = target;
    this.#options = options;
    this.#requestListeners = server.listeners("request") as Listener[];
    for (const listener of this.#requestListeners) server.off("request", listener);
    server.on("request", this.#onRequest);
    server.on("close", this.#onClose);
    if (target.acceptsUpgrades) {
      ownUpgradeListeners.add(this.#onUpgrade);
      server.on("upgrade", this.#onUpgrade);
    }
  }

  /** Leaves the server as it was found. */
  detach(): void {
    const server = this.#server;
    server.off("upgrade", this.#onUpgrade);
    server.off("close", this.#onClose);
    if (!server.listeners("request").includes(this.#onRequest)) return;
    server.off("request", this.#onRequest);
    const added = server.listeners("request") as Listener[];
    for (const listener of added) server.off("request", listener);
    for (const listener of [...this.#requestListeners, ...added]) server.on("request", listener);
  }

  readonly #onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    if (req.url?.startsWith(this.prefix)) this.#target.handleRequest(req, res);
    else for (const listener of this.#requestListeners) listener.call(this.#server, req, res);
  };

  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (req.url?.startsWith(this.prefix)) this.#target.handleUpgrade(req, socket, head);
    else this.#passUpgrade(socket);
  };

  readonly #onClose = (): void => this.#target.onServerClose();

  /** An upgrade that nobody takes would stay open for ever. One that somebody else listens for is left alone. */
  #passUpgrade(socket: Duplex): void {
    // Whoever takes it may not listen yet when the client resets the connection.
    socket.on("error", () => {});
    if (this.#options.destroyUpgrade === false) return;
    const isForOthers = this.#server.listeners("upgrade").some((listener) => !ownUpgradeListeners.has(listener));
    if (isForOthers) return;
    setTimeout(() => {
      const { bytesWritten = 0 } = socket as Partial<{ bytesWritten: number }>;
      if (socket.writable && bytesWritten <= 0) socket.end();
    }, this.#options.destroyUpgradeTimeout ?? 1000);
  }
}
