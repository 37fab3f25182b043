import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isAnswering } from "@plugboard/server";
import { SilentConnections } from "./silent-connections.js";

/** Whose requests and upgrades these are; asked before anybody who listens on the HTTP server. */
export interface Claimant {
  /** Whether a request is of its path. */
  claims(req: IncomingMessage): boolean;
  /** Takes an upgrade that it claims. */
  takeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes a request that is to bypass Fastify's router. */
  takeRequest(req: IncomingMessage, res: ServerResponse): boolean;
}

const fronts = new WeakMap<HttpServer, UpgradeFront>();

/**
 * Stands before the listeners of an HTTP server. Others route every upgrade they hear of (`@fastify/websocket`,
 * `@fastify/http-proxy`), and Node knows no way to stop an event: so ours are taken before the event is emitted, and the others
 * are left alone, whatever the order of registration.
 */
export class UpgradeFront {
  readonly #server: HttpServer;
  readonly #claimants = new Set<Claimant>();
  readonly #emit: HttpServer["emit"];
  readonly #emitThrough: HttpServer["emit"];
  readonly #connections: SilentConnections;

  private constructor(server: HttpServer) {
    this.#server = server;
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

  /** Adds a claimant in front of this server, until the returned function is called, which is when the server is about to close. */
  static add(server: HttpServer, claimant: Claimant): () => void {
    let front = fronts.get(server);
    if (front === undefined) fronts.set(server, (front = new UpgradeFront(server)));
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
      if (!claimant.claims(req as IncomingMessage)) continue;
      if (isAnswering(req as IncomingMessage)) destroy(socket as Duplex);
      else claimant.takeUpgrade(req as IncomingMessage, socket as Duplex, head as Buffer);
      return true;
    }
    return false;
  }

  #isRequestTaken([req, res]: unknown[]): boolean {
    for (const claimant of this.#claimants) {
      if (claimant.takeRequest(req as IncomingMessage, res as ServerResponse)) return true;
    }
    return false;
  }

  /** One that nobody else listens for is answered as any other request, which is what Node does where there is no listener at all. */
  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#server.listenerCount("upgrade") > 1) return;
    if (isAnswering(req)) {
      destroy(socket);
      return;
    }
    const request = requestInsteadOf(req);
    if (request === undefined) {
      destroy(socket);
      return;
    }
    socket.unshift(Buffer.concat([request, head]));
    this.#server.emit("setSecureContext" in this.#server ? "secureConnection" : "connection", socket);
  };
}

/** The response that is not over may still fail. */
function destroy(socket: Duplex): void {
  socket.on("error", () => {}).destroy();
}

/** The head of the same request as one that asks for no upgrade. Its body, which Node has not looked at, comes behind it. */
function requestInsteadOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer | undefined {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    const value = rawHeaders[index + 1]!;
    const kept = /^connection$/i.test(name) ? withoutUpgrade(value) : value;
    if (kept !== "" || value === "") lines.push(`${name}: ${kept}`);
  }
  // A lenient parser may have let through what this one would take for another request.
  if (lines.some((line) => /[\r\n]/.test(line))) return undefined;
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function withoutUpgrade(connection: string): string {
  const tokens = connection.split(",").map((token) => token.trim());
  return tokens.filter((token) => token.toLowerCase() !== "upgrade").join(", ");
}
