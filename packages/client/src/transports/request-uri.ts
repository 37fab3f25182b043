import type { Transport } from "./transport.js";

/**
 * What keeps caches away (spec/client.md 2.2): 8 digits of base 36 that no request of this process had before. Counts from
 * anywhere, so that two pages that load together differ.
 */
let timestamp = Math.floor((1 + Math.random() * 34) * 36 ** 7);

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
  if (stamped) query[timestampParam] = (++timestamp).toString(36);
  if (announced && !transport.supportsBinary) query["b64"] = 1;
  return transport.createUri(secure ? schema + "s" : schema, query);
}
