import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HeaderFields } from "../http-port.js";

/**
 * What middlewares get as `res` during an upgrade: header fields are kept for the 101 answer, and ending it ends the
 * connection. Emits `finish` on `end()` and `close` when the connection closes.
 */
export class UpgradeResponse extends EventEmitter {
  readonly req: IncomingMessage;
  readonly headersSent = false;
  statusCode = 200;
  readonly #fields = new Map<string, string | string[]>();
  readonly #socket: Duplex;

  constructor(req: IncomingMessage, socket: Duplex) {
    super();
    this.req = req;
    this.#socket = socket;
    socket.once("close", () => this.emit("close"));
  }

  setHeader(name: string, value: string | number | readonly string[]): this {
    this.#fields.set(name.toLowerCase(), typeof value === "object" ? [...value] : String(value));
    return this;
  }

  getHeader(name: string): string | string[] | undefined {
    return this.#fields.get(name.toLowerCase());
  }

  hasHeader(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  getHeaderNames(): string[] {
    return [...this.#fields.keys()];
  }

  removeHeader(name: string): void {
    this.#fields.delete(name.toLowerCase());
  }

  write(): boolean {
    return true;
  }

  /** Session middlewares wrap this method to add their cookie as late as possible. */
  writeHead(): this {
    return this;
  }

  end(): this {
    this.#socket.destroy();
    this.emit("finish");
    return this;
  }

  /** Header fields gathered so far. */
  get fields(): HeaderFields {
    return Object.fromEntries(this.#fields);
  }
}
