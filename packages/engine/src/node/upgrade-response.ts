import { EventEmitter } from "node:events";
import { validateHeaderName, validateHeaderValue, type IncomingMessage } from "node:http";
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
  writableEnded = false;
  readonly #fields = new Map<string, string | string[]>();
  readonly #socket: Duplex;

  constructor(req: IncomingMessage, socket: Duplex) {
    super();
    this.req = req;
    this.#socket = socket;
    socket.once("close", () => this.emit("close"));
  }

  setHeader(name: string, value: string | number | readonly string[]): this {
    const field = typeof value === "object" ? [...value] : String(value);
    validateField(name, field);
    this.#fields.set(name.toLowerCase(), field);
    return this;
  }

  appendHeader(name: string, value: string | readonly string[]): this {
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
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

  getHeaders(): HeaderFields {
    return Object.fromEntries(this.#fields);
  }

  removeHeader(name: string): void {
    this.#fields.delete(name.toLowerCase());
  }

  flushHeaders(): void {}

  write(): boolean {
    return true;
  }

  /** Session middlewares wrap this method to add their cookie as late as possible. */
  writeHead(_status?: number, ...rest: unknown[]): this {
    const headers = rest.at(-1);
    if (typeof headers !== "object" || headers === null) return this;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value as string);
    return this;
  }

  end(): this {
    this.writableEnded = true;
    this.#socket.destroy();
    this.emit("finish");
    return this;
  }
}

/** @throws TypeError for a name or value that would end its line: it could pass for fields of somebody else's making */
export function validateField(name: string, value: string | readonly string[]): void {
  validateHeaderName(name);
  for (const line of typeof value === "string" ? [value] : value) validateHeaderValue(name, line);
}
