import { parseQuery, type Query } from "./query-string.js";

/** Where a page or worker was loaded from; Node has no such thing. */
export interface PageLocation {
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
}

/** What the URL of a server consists of (spec/client.md 1.5). */
export interface ServerUrl {
  /** The absolute URL. */
  readonly source: string;
  /** `http`, `https`, `ws` or `wss`. */
  readonly protocol: string;
  /** Whether the protocol asks for TLS. */
  readonly secure: boolean;
  /** Without brackets for IPv6. */
  readonly host: string;
  /** Never empty: that of the protocol, if the URL has none. */
  readonly port: string;
  /** As written, at least `/`: the namespace. */
  readonly path: string;
  /** Undefined when the URL has no query. */
  readonly query: Query | undefined;
  /** What URLs of one connection have in common: protocol, host and port. */
  readonly id: string;
}

/** Longest URL that is looked at, in characters. */
const MAX_LENGTH = 8000;

/** The location of the page, if there is one. */
export function pageLocation(): PageLocation | undefined {
  return (globalThis as { location?: PageLocation }).location;
}

/**
 * Completes a URL by what is known of the page and takes it apart. IPv6 addresses may come without brackets.
 * @throws Error with `code` `CLIENT_URL_INVALID`: without a page, a URL needs a protocol and a host
 */
export function parseUrl(
  uri: string | null | undefined,
  location: PageLocation | undefined = pageLocation(),
): ServerUrl {
  let source = uri ?? "";
  if (location) {
    source = source
      .replace(/^(?=\/(?!\/)|$)/, location.host)
      .replace(/^(?!(https?|wss?):\/\/)(\/\/)?/i, location.protocol + "//");
  }
  const isTooLong = source.length > MAX_LENGTH;
  const [, scheme, authority = "", path, query] =
    (!isTooLong && /^(https?|wss?):\/\/(?:[^/?#]*@)?([^/?#]+)([^?#]*)\??([^#]*)/i.exec(source)) || [];
  if (!scheme) {
    throw Object.assign(new Error(isTooLong ? "URI too long" : `invalid URL "${source}"`), {
      code: "CLIENT_URL_INVALID",
    });
  }
  const protocol = scheme.toLowerCase();
  const secure = /[ps]s$/.test(protocol);
  const [host, ownPort] = parseAuthority(authority);
  const port = ownPort || (secure ? "443" : "80");
  return {
    source,
    protocol,
    secure,
    host,
    port,
    path: path || "/",
    query: query ? parseQuery(query) : undefined,
    id: `${protocol}://${bracketed(host)}:${port}`,
  };
}

/** Host and port. An IPv6 address without brackets has a port only if it is a ninth group. */
export function parseAuthority(authority: string): [host: string, port: string | undefined] {
  const [, host = authority, port] = /^([^:]*|\[.*\]|(?:[^:]+:){7}[^:]+):([^:]*)$/.exec(authority) ?? [];
  return [host.replace(/[[\]]/g, ""), port];
}

/** A host as URLs have it. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
