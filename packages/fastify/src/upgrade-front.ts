import { ServerResponse, type IncomingMessage, type Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { SilentConnections } from "./silent-connections.js";

/** Whose requests and upgrades these are; asked before anybody who listens on the HTTP server. */
export interface Claimant {
  /** Takes an upgrade of its path. */
  takeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Takes a request that is to bypass Fastify's router. */
  takeRequest(req: IncomingMessage, res: ServerResponse): boolean;
}

type Route = (req: IncomingMessage, res: ServerResponse) => void;

const fronts = new WeakMap<HttpServer, UpgradeFront>();

/**
 * Stands before the listeners of an HTTP server. Others route every upgrade they hear of (`@fastify/websocket`,
 * `@fastify/http-proxy`), and Node knows no way to stop an event: so ours are taken before the event is emitted, and the others
 * are left alone, whatever the order of registration.
 */
export class UpgradeFront {
  readonly #server: HttpServer;
  readonly #claimants = new Set<Claimant>();
  readonly #route: Route;
  readonly #emit: HttpServer["emit"];
  readonly #emitThrough: HttpServer["emit"];
  readonly #connections: SilentConnections;

  private constructor(server: HttpServer, route: Route) {
    this.#server = server;
    this.#route = route;
    this.#connections = new SilentConnections(server);
    const emit = server.emit;
    this.#emit = emit;
    this.#emitThrough = (event: string | symbol, ...args: unknown[]): boolean => {
      this.#connections.note(event, args);
      if (event === "upgrade" && this.#isUpgradeTaken(args)) return true;
      if (event === "request" && this.#isRequestTaken(args)) return true;
      return Reflect.apply(emit, server, [event, ...args]);
    };
    server.emit = this.#emitThrough;
    // Node announces upgrades only while somebody listens for them.
    server.on("upgrade", this.#onUpgrade);
  }

  /**
   * Adds a claimant in front of this server, until the returned function is called, which is when the server is about to close.
   *
   * @param route - Fastify's router
   */
  static add(server: HttpServer, claimant: Claimant, route: Route): () => void {
    let front = fronts.get(server);
    if (front === undefined) fronts.set(server, (front = new UpgradeFront(server, route)));
    const found = front;
    found.#claimants.add(claimant);
    return () => found.#remove(claimant);
  }

  #remove(claimant: Claimant): void {
    this.#claimants.delete(claimant);
    if (this.#claimants.size > 0) return;
    this.#server.off("upgrade", this.#onUpgrade);
    fronts.delete(this.#server);
    const leave = (): void => {
      // Somebody may have put his own in front of ours: he goes on calling it, and it passes everything on.
      if (this.#server.emit === this.#emitThrough) this.#server.emit = this.#emit;
    };
    if (this.#server.listening) this.#connections.sweep(leave);
    else leave();
  }

  #isUpgradeTaken([req, socket, head]: unknown[]): boolean {
    for (const claimant of this.#claimants) {
      if (claimant.takeUpgrade(req as IncomingMessage, socket as Duplex, head as Buffer)) return true;
    }
    return false;
  }

  #isRequestTaken([req, res]: unknown[]): boolean {
    for (const claimant of this.#claimants) {
      if (claimant.takeRequest(req as IncomingMessage, res as ServerResponse)) return true;
    }
    return false;
  }

  /**
   * One that nobody else listens for is answered as any other request, which is what Node does where there is no listener at
   * all: with the route of that name, or 404.
   */
  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex): void => {
    if (this.#server.listenerCount("upgrade") > 1) return;
    this.#route(req, responseOn(req, socket));
  };
}

/** A response that is written to the socket of an upgrade, and ends it. */
function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse {
  socket.on("error", () => socket.destroy());
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket as never);
  res.once("finish", () => {
    res.detachSocket(socket as never);
    // A peer that keeps its half open would hold the server open too.
    socket.end(() => socket.destroy());
  });
  return res;
}
