import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { engineUrlPrefix, type AttachOptions } from "../options.js";
import { isAnswering } from "./is-answering.js";
import { RequestFront } from "./request-front.js";

/** What an attachment passes on: the requests and upgrades of its path, and the server's own life. */
export interface AttachmentTarget {
  readonly acceptsUpgrades: boolean;
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  onServerClose(): void;
}

/** What the attachments of one server share, of whatever engine. */
interface Siblings {
  readonly attachments: Set<Attachment>;
  /** Connections that have not sent a request yet: nobody else would end them. Whoever sees the request first says so. */
  readonly silent: Set<Duplex>;
  readonly onSilentClose: (this: Duplex) => void;
}

const siblingsOn = new WeakMap<HttpServer, Siblings>();

function siblingsOf(server: HttpServer): Siblings {
  let siblings = siblingsOn.get(server);
  if (siblings === undefined) {
    const silent = new Set<Duplex>();
    const onSilentClose = function (this: Duplex): void {
      silent.delete(this);
    };
    siblings = { attachments: new Set(), silent, onSilentClose };
    siblingsOn.set(server, siblings);
  }
  return siblings;
}

/** Gives an engine the requests and upgrades of its path, before the listeners of the HTTP server; `detach` undoes it. */
export class Attachment {
  readonly prefix: string;
  readonly #server: HttpServer;
  readonly #target: AttachmentTarget;
  readonly #options: AttachOptions;
  readonly #front: RequestFront;
  readonly #siblings: Siblings;
  #isDetached = false;

  constructor(server: HttpServer, target: AttachmentTarget, options: AttachOptions) {
    this.prefix = engineUrlPrefix(options);
    this.#server = server;
    this.#target = target;
    this.#options = options;
    this.#front = new RequestFront(server, (req, res) => this.#takeRequest(req, res));
    server.on("close", this.#onClose);
    const event = connectionEventOf(server);
    if (event !== undefined) server.on(event, this.#onConnection);
    if (target.acceptsUpgrades) server.on("upgrade", this.#onUpgrade);
    this.#siblings = siblingsOf(server);
    this.#siblings.attachments.add(this);
  }

  matches(url: string | undefined): boolean {
    return !this.#isDetached && url?.startsWith(this.prefix) === true;
  }

  /** Ends the connections that have not sent a request, so that the server can close. */
  endSilentConnections(): void {
    for (const socket of this.#siblings.silent) socket.destroy();
  }

  /** Leaves the server as it was found. */
  detach(): void {
    const server = this.#server;
    this.#isDetached = true;
    this.#siblings.attachments.delete(this);
    server.off("upgrade", this.#onUpgrade);
    server.off("close", this.#onClose);
    server.off(connectionEventOf(server) ?? "connection", this.#onConnection);
    this.#front.leave();
  }

  readonly #onConnection = (socket: Duplex): void => {
    const { silent, onSilentClose } = this.#siblings;
    if (silent.has(socket)) return;
    silent.add(socket);
    socket.on("close", onSilentClose);
  };

  #onRequestFrom(socket: Duplex): void {
    const { silent, onSilentClose } = this.#siblings;
    if (silent.delete(socket)) socket.off("close", onSilentClose);
  }

  #takeRequest(req: IncomingMessage, res: ServerResponse): boolean {
    this.#onRequestFrom(req.socket);
    const isOurs = this.matches(req.url);
    if (isOurs) this.#target.handleRequest(req, res);
    return isOurs;
  }

  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#onRequestFrom(socket);
    if (this.matches(req.url)) this.#target.handleUpgrade(req, socket, head);
    else this.#passUpgrade(req, socket);
  };

  readonly #onClose = (): void => this.#target.onServerClose();

  /** An upgrade that nobody takes would stay open for ever. One that somebody else listens for is left alone. */
  #passUpgrade(req: IncomingMessage, socket: Duplex): void {
    const siblings = [...this.#siblings.attachments];
    if (siblings.some((sibling) => sibling.matches(req.url))) return;
    // Whoever takes it may not listen yet when the client resets the connection.
    socket.on("error", () => {});
    if (this.#options.destroyUpgrade === false) return;
    const ours = new Set<unknown>(siblings.map((sibling) => sibling.#onUpgrade));
    if (this.#server.listeners("upgrade").some((listener) => !ours.has(listener))) return;
    if (isAnswering(req)) return void socket.destroy();
    const { bytesWritten } = req.socket;
    setTimeout(() => {
      // A peer that keeps its half open would hold the server open too.
      if (socket.writable && req.socket.bytesWritten === bytesWritten) socket.end(() => socket.destroy());
    }, this.#options.destroyUpgradeTimeout ?? 1000);
  }
}

/** The event that announces the sockets on which requests come; HTTP/2 has none, and ends its sessions itself. */
function connectionEventOf(server: object): "connection" | "secureConnection" | undefined {
  if (server instanceof HttpsServer) return "secureConnection";
  return server instanceof HttpServer ? "connection" : undefined;
}
