import type { Handshake } from "./handshake.js";
import type { AuthData, Connection, HandshakeRequest } from "./parts.js";

/**
 * Describes how a client connected (spec/server.md 3.6). Everything but `auth` comes from the first request of its
 * connection; one without a request counts as secure, since only encrypted transports lack one.
 *
 * @param issuedAt - milliseconds since 1970
 */
export function describeHandshake(conn: Connection, auth: AuthData, issuedAt: number): Handshake {
  const request = conn.request as HandshakeRequest | undefined | null;
  return {
    headers: request?.headers ?? {},
    time: String(new Date(issuedAt)),
    address: conn.remoteAddress as string,
    xdomain: request?.headers?.origin !== undefined,
    secure: !request || isEncrypted(request),
    issued: issuedAt,
    url: request?.url as string,
    query: request?._query ?? {},
    auth,
  };
}

function isEncrypted(request: HandshakeRequest): boolean {
  return Boolean((request.socket as { encrypted?: boolean } | undefined)?.encrypted);
}
