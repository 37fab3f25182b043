import type { ReadableStream } from "node:stream/web";
import { smallRecord } from "./record.js";

/** Query parameters of a request: flat, all strings, the last of a repeated key wins (spec/server.md 1.2). */
export type Query = Record<string, string>;

/** Header fields of an answer; an array becomes one line per value. */
export type HeaderFields = Record<string, string | string[]>;

/**
 * What the engine needs to know of an HTTP request. Node's `http`, Bun, Deno or a framework implement it in a few lines.
 */
export interface HttpRequestLike {
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly url: string;
  readonly query: Query;
  /** Becomes `session.request`; handed to `allowRequest` and `generateId`. */
  readonly raw: unknown;
  readonly remoteAddress: string | undefined;
  /** Whether the connection itself is encrypted: an origin of `http:` is not the same then. Default: false, which is not known. */
  readonly isEncrypted?: boolean;
  header(name: string): string | undefined;
  /**
   * Reads the whole body.
   *
   * @param maxBytes - where reading stops
   * @throws {@link BodyError} with code `EIO_BODY_TOO_LARGE` or `EIO_BODY_ABORTED`
   */
  readBody(maxBytes: number): Promise<Uint8Array>;
  /** Calls `listener` once when the client goes away before it has its answer. */
  onAbort(listener: () => void): void;
  /** Drops the connection without an answer. */
  abort(): void;
}

/**
 * The answer to an HTTP request, as a value: whoever serves HTTP sends it in its own way and then calls `done`.
 */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: string | Uint8Array | ReadableStream<Uint8Array>;
  /**
   * To be called once, when the answer is written or lost: send callbacks wait for it, an error closes the session.
   */
  done(error?: Error): void;
}

/** Why a body could not be read. */
export class BodyError extends Error {
  readonly code: "EIO_BODY_TOO_LARGE" | "EIO_BODY_ABORTED";

  constructor(code: "EIO_BODY_TOO_LARGE" | "EIO_BODY_ABORTED") {
    super(code === "EIO_BODY_TOO_LARGE" ? "request body too large" : "request body aborted");
    this.name = "BodyError";
    this.code = code;
  }
}

/** Parses the query of a request URL; the result inherits nothing but the methods of objects. */
export function parseQuery(url: string): Query {
  const query: Query = smallRecord();
  const start = url.indexOf("?");
  if (start === -1) return query;
  for (const [key, value] of new URLSearchParams(url.slice(start + 1))) query[key] = value;
  return query;
}

export function nothingToDo(): void {}

/** An answer that nobody waits for. */
export function plainAnswer(status: number, headers: HeaderFields = {}, body = ""): HttpAnswer {
  return { status, headers, body, done: nothingToDo };
}
