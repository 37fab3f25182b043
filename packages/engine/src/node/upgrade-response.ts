import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HeaderFields } from "../http-port.js";
import { validateField } from "./header-field.js";
import { answerUpgrade } from "./upgrade-answer.js";

/**
 * What middlewares get as `res` during an upgrade: header fields are kept for the 101 answer; ending it answers in plain
 * HTTP instead, with the status, fields and body that it was given, and ends the connection. Emits `finish` on `end()`
 * and `close` when the connection closes.
 */
export class UpgradeResponse extends EventEmitter {
  readonly req: IncomingMessage;
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  readonly #fields = new Map<string, string | string[]>();
  readonly #socket: Duplex;
  readonly #body: Buffer[] = [];

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

  /** By this name session middlewares ask for the head to be made, before they write. */
  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  /** Keeps a part of the body until `end()`. */
  write(chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean {
    if (!this.writableEnded) this.#body.push(bytesOf(chunk, encoding));
    callIfGiven(encoding, callback);
    return true;
  }

  /** Session middlewares wrap this method to add their cookie as late as possible. */
  writeHead(status?: number, ...rest: unknown[]): this {
    if (status !== undefined) this.statusCode = status;
    const headers = rest.at(-1);
    if (typeof headers !== "object" || headers === null) return this;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value as string);
    return this;
  }

  end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (this.writableEnded) return this;
    if (typeof chunk === "string" || chunk instanceof Uint8Array) this.#body.push(bytesOf(chunk, encoding));
    this.writableEnded = true;
    try {
      this.writeHead(this.statusCode);
      const { statusCode: status } = this;
      answerUpgrade(this.#socket, { status, headers: this.getHeaders(), body: Buffer.concat(this.#body) });
    } catch (error) {
      // What a middleware has put around `writeHead` may fail; the client is not to wait for it.
      this.#socket.destroy();
      throw error;
    } finally {
      this.headersSent = true;
    }
    this.emit("finish");
    callIfGiven(chunk, encoding, callback);
    return this;
  }
}

function bytesOf(chunk: string | Uint8Array, encoding: unknown): Buffer {
  if (typeof chunk !== "string") return Buffer.from(chunk);
  return Buffer.from(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}

/** Calls the one argument that is a function, as streams take their callback in any of these places. */
function callIfGiven(...args: unknown[]): void {
  const callback = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
  if (callback !== undefined) process.nextTick(callback);
}
