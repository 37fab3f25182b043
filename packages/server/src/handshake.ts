import type { IncomingHttpHeaders } from "node:http";
import type { ParsedUrlQuery } from "node:querystring";

/** What is known of a client when it connects (spec/server.md 3.6). Headers and query are those of its first request. */
export interface Handshake {
  /** Headers of the first request. */
  headers: IncomingHttpHeaders;
  /** When the socket was made, as `Date` prints it. */
  time: string;
  /** Address of the client. */
  address: string;
  /** Whether the request had an `Origin` header. */
  xdomain: boolean;
  /** Whether the connection is encrypted. */
  secure: boolean;
  /** When the socket was made, in milliseconds since 1970. */
  issued: number;
  /** URL of the first request. */
  url: string;
  /** Query of the first request; of a repeated key the last value. */
  query: ParsedUrlQuery;
  /** What the client sent as `auth`. Comes from the client: check it. */
  auth: { [key: string]: any };
}
