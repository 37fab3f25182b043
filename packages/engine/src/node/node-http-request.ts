import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { TLSSocket } from "node:tls";
import { BodyError, parseQuery, type HttpAnswer, type HttpRequestLike, type Query } from "../http-port.js";
import { boundRestOfBody } from "./rest-of-body.js";

/** A request of Node's `http`; the parsed query is left on it as `_query`, where middlewares look for it. */
export type QueriedRequest = IncomingMessage & { _query: Query };

export function withQuery(req: IncomingMessage): QueriedRequest {
  const queried = req as IncomingMessage & { _query?: Query };
  queried._query ??= parseQuery(req.url ?? "");
  return queried as QueriedRequest;
}

/** Node's `http` request as the engine sees it. */
export class NodeHttpRequest implements HttpRequestLike {
  readonly raw: QueriedRequest;
  readonly #res: ServerResponse | undefined;

  /** @param res - where the answer will be written; none for an upgrade */
  constructor(req: IncomingMessage, res?: ServerResponse) {
    this.raw = withQuery(req);
    this.#res = res;
  }

  get method(): string {
    return this.raw.method ?? "GET";
  }

  get url(): string {
    return this.raw.url ?? "";
  }

  get query(): Query {
    return this.raw._query;
  }

  get remoteAddress(): string | undefined {
    return this.raw.socket.remoteAddress;
  }

  get isEncrypted(): boolean {
    return (this.raw.socket as Partial<TLSSocket>).encrypted === true;
  }

  header(name: string): string | undefined {
    const value = this.raw.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  readBody(maxBytes: number): Promise<Uint8Array> {
    const req = this.raw;
    // Aborted while a middleware took its time, or consumed by somebody else: nothing more will come.
    if (req.destroyed || req.readableEnded) return Promise.reject(new BodyError("EIO_BODY_ABORTED"));
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const stop = (): void => {
        req.off("data", onData).off("end", onEnd).off("close", onClose);
        // What still comes is thrown away, so that the answer can be written on this connection.
        req.resume();
      };
      const onData = (chunk: Buffer): void => {
        length += chunk.length;
        if (length > maxBytes) {
          stop();
          reject(new BodyError("EIO_BODY_TOO_LARGE"));
        } else {
          chunks.push(chunk);
        }
      };
      const onEnd = (): void => {
        stop();
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
      };
      const onClose = (): void => {
        stop();
        reject(new BodyError("EIO_BODY_ABORTED"));
      };
      req.on("data", onData).on("end", onEnd).on("close", onClose);
    });
  }

  onAbort(listener: () => void): void {
    const res = this.#res;
    if (res === undefined) return;
    // A middleware may have taken its time, and the client may have left meanwhile.
    if (res.destroyed) queueMicrotask(listener);
    else res.once("close", () => !res.writableEnded && listener());
  }

  abort(): void {
    this.raw.destroy();
  }
}

/** Sends an answer through Node's `http`; header fields set before, by middlewares, stay. */
export function writeNodeAnswer(res: ServerResponse, answer: HttpAnswer): void {
  if (res.headersSent || res.destroyed) {
    if (!res.writableEnded) res.end();
    answer.done(new Error("the response was ended or lost before the answer"));
    return;
  }
  res.writeHead(answer.status, withBothCookies(answer.headers));
  let isDone = false;
  const finish = (error?: Error): void => {
    if (isDone) return;
    isDone = true;
    answer.done(error);
  };
  res.once("finish", () => finish());
  res.once("close", () => finish(res.writableFinished ? undefined : new Error("the connection was closed")));
  if (typeof answer.body === "string" || answer.body instanceof Uint8Array) res.end(answer.body);
  else pipeBody(answer.body, res);
}

function pipeBody(body: ReadableStream<Uint8Array>, res: ServerResponse): void {
  Readable.fromWeb(body)
    .on("error", () => res.destroy())
    .pipe(res);
}

/** The engine's own `Set-Cookie` and a listener's `set-cookie` are one field to HTTP: both have to get through. */
function withBothCookies(headers: HttpAnswer["headers"]): HttpAnswer["headers"] {
  const { "Set-Cookie": own, "set-cookie": added, ...rest } = headers;
  if (own === undefined || added === undefined) return headers;
  return { ...rest, "Set-Cookie": [own, added].flat() };
}

/**
 * A request of Node's `http` as `engine.handle` takes it, for those who send the answer in a way of their own.
 *
 * @param res - where the answer will go: that the client goes away before it has it is noticed there, and a body that goes on
 * and on behind it is cut a second later
 */
export function nodeRequest(req: IncomingMessage, res?: ServerResponse): HttpRequestLike {
  if (res !== undefined) boundRestOfBody(req, res);
  return new NodeHttpRequest(req, res);
}
