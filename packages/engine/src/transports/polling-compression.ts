import { Readable, type Transform } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { createDeflate, createGzip, type ZlibOptions } from "node:zlib";
import Negotiator from "negotiator";
import type { HttpRequestLike } from "../http-port.js";

type Encoding = "gzip" | "deflate";

const ENCODERS: Record<Encoding, (options: ZlibOptions) => Transform> = { gzip: createGzip, deflate: createDeflate };

/** No browser says as much; weighing thousands of encodings for each poll would be work for nothing. */
const MAX_HEADER_LENGTH = 512;

export interface CompressedBody {
  readonly encoding: Encoding;
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Compresses the payload of a poll as a stream, when it is large enough and the client takes it (spec/server.md 1.15).
 *
 * @param settings - `true` compresses whatever the size; an object gives the threshold in bytes and zlib options
 * @returns undefined when the payload is to be sent as it is
 */
export function compressedBody(
  request: HttpRequestLike,
  payload: string,
  settings: true | (ZlibOptions & { threshold?: number }),
): CompressedBody | undefined {
  const { threshold = 0, ...zlibOptions } = settings === true ? {} : settings;
  if (Buffer.byteLength(payload) < threshold) return undefined;
  const encoding = preferredEncoding(request.header("accept-encoding"), ["gzip", "deflate"]);
  if (encoding === undefined) return undefined;
  const stream = ENCODERS[encoding](zlibOptions);
  stream.end(payload);
  return { encoding, body: Readable.toWeb(stream) as ReadableStream<Uint8Array> };
}

/**
 * Which of the encodings at hand an `Accept-Encoding` prefers: that of the highest quality, among equals the client's
 * first; whatever has quality 0 is out. Undefined when it takes none of them.
 */
export function preferredEncoding<Name extends string>(
  header: string | undefined,
  available: readonly Name[],
): Name | undefined {
  if (header === undefined || header.length > MAX_HEADER_LENGTH) return undefined;
  const negotiator = new Negotiator({ headers: { "accept-encoding": header } });
  return negotiator.encodings([...available])[0] as Name | undefined;
}
