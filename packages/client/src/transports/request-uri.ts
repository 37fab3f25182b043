import type { Transport } from "./transport.js";

/** Three digits of base 36. */
const COUNT_RANGE = 36 ** 3;

// Begins anywhere, so that two pages that load together differ.
let count = Math.floor(Math.random() * COUNT_RANGE);

/** 8 letters and digits that no request of this process had before: they keep caches away (spec/client.md 2.2). */
function timestamp(): string {
  count = (count + 1) % COUNT_RANGE;
  // The leading digit keeps zeros in their places.
  return Date.now().toString(36).slice(-5) + (COUNT_RANGE + count).toString(36).slice(1);
}

/**
 * Where a transport sends a request.
 * @param schema - `http` or `ws`, without TLS
 * @param stamped - whether it is told apart from all others
 * @param announced - whether the server is told here that bytes travel as base64
 */
export function requestUri(
  transport: Transport,
  schema: string,
  stamped: boolean | undefined,
  announced: boolean,
): string {
  const { secure, timestampParam = "t" } = transport.opts;
  const query = { ...transport.query };
  if (stamped) query[timestampParam] = timestamp();
  if (announced && !transport.supportsBinary) query["b64"] = 1;
  return transport.createUri(secure ? schema + "s" : schema, query);
}
