import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable, Writable } from "node:stream";
import { validateHeaderName, validateHeaderValue } from "node:http";

/** A request of Node's `http` without a network, whose body comes in pieces. */
export function memoryRequest(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  pieces: readonly Uint8Array[] = [],
): IncomingMessage {
  const body = Readable.from(pieces, { objectMode: false });
  const request = Object.assign(body, {
    method,
    url,
    headers,
    httpVersion: "1.1",
    socket: { remoteAddress: "memory" },
  });
  Object.defineProperty(request, "complete", { get: () => body.readableEnded });
  return request as unknown as IncomingMessage;
}

/** A response of Node's `http` without a network. It refuses what the original would refuse. */
export class MemoryResponse extends Writable {
  statusCode = 0;
  headersSent = false;
  readonly fields: Record<string, string | string[]> = {};
  readonly body: Buffer[] = [];
  readonly done: Promise<void>;
  readonly req: IncomingMessage;

  constructor(req: IncomingMessage) {
    super();
    this.req = req;
    this.done = new Promise((resolve) => this.once("close", resolve));
    this.on("error", () => {});
  }

  get asResponse(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  setHeader(name: string, value: string | string[]): this {
    checkField(name, value);
    this.fields[name.toLowerCase()] = value;
    return this;
  }

  getHeader(name: string): string | string[] | undefined {
    return this.fields[name.toLowerCase()];
  }

  writeHead(status: number, fields: Record<string, string | string[]> = {}): this {
    for (const [name, value] of Object.entries(fields)) this.setHeader(name, value);
    this.statusCode = status;
    this.headersSent = true;
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.body.push(chunk);
    done();
  }
}

/** @throws when Node would not send the field */
export function checkField(name: string, value: string | string[]): void {
  validateHeaderName(name);
  for (const line of [value].flat()) validateHeaderValue(name, line);
}
