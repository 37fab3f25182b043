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
  const accepted = request.header("accept-encoding");
  if (accepted === undefined || accepted.length > MAX_HEADER_LENGTH || Buffer.byteLength(payload) < threshold)
    return undefined;
  const encoding = preferredEncoding(accepted);
  if (encoding === undefined) return undefined;
  const stream = ENCODERS[encoding](zlibOptions);
  stream.end(payload);
  return { encoding, body: Readable.toWeb(stream) as ReadableStream<Uint8Array> };
}

/** Highest quality first, ties in the client's order; whatever has quality 0 is out. */
function preferredEncoding(header: string): Encoding | undefined {
  const negotiator = new Negotiator({ headers: { "accept-encoding": header } });
  return negotiator.encodings(["gzip", "deflate"])[0] as Encoding | undefined;
}
