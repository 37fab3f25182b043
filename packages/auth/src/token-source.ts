import type { IncomingHttpHeaders } from "node:http";

/** Where a token may be. */
export interface TokenCarrier {
  /** What the client sent as `auth`. May be anything that can be sent. */
  readonly auth: Readonly<Record<string, unknown>>;
  /** Headers of the request that opened the connection; empty when credentials are renewed on an open one. */
  readonly headers: IncomingHttpHeaders;
}

/** Finds the token, if there is one. What is not a string is refused. */
export type TokenReader = (carrier: TokenCarrier) => unknown;

/** Looks at `auth.token`, then at a header `Authorization: Bearer ...`, then at the cookie if one is named. */
export function defaultTokenReader(cookie: string | undefined): TokenReader {
  return ({ auth, headers }) => {
    if (auth["token"] !== undefined && auth["token"] !== null) return auth["token"];
    const [, bearer] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
    return bearer ?? (cookie === undefined ? undefined : readCookie(headers.cookie ?? "", cookie));
  };
}

/** Value of the first cookie of that name; of an empty one undefined. */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return decoded(/^".*"$/.test(value) ? value.slice(1, -1) : value) || undefined;
  }
  return undefined;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
