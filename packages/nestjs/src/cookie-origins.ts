import type { IncomingMessage, ServerResponse } from "node:http";
import { isSameOrigin, nodeRequest } from "@plugboard/server";
import { platformRequest } from "./platform-front.js";

/**
 * The rule for pages of other origins: who is known by a cookie is let in from a page of ours alone, or from one that may read
 * answers with cookies. Others show what a page elsewhere does not have, such as a token.
 */
export class CookieOrigins {
  /** Of handshakes, the origins whose pages may read the answer with cookies. */
  readonly #readers = new WeakMap<IncomingMessage, unknown>();

  /** Notes what the header fields of the answer allow. */
  learn(request: IncomingMessage, response: Pick<ServerResponse, "getHeader">): void {
    if (response.getHeader("access-control-allow-credentials") !== "true") return;
    this.#readers.set(request, response.getHeader("access-control-allow-origin"));
  }

  readonly isAllowed = (origin: string, request: IncomingMessage): boolean =>
    !isKnownByCookie(request) ||
    isSameOrigin(nodeRequest(request), origin) ||
    this.#readers.get(request) === origin ||
    originOf(request) === origin;
}

/** What the platform knows of a request. */
interface PlatformRequest {
  readonly protocol?: string;
  /** With a port in Fastify 5. */
  readonly host?: string;
  /** With a port in Fastify 4. */
  readonly hostname?: string;
  /** Of Express. */
  readonly app?: { get(name: string): unknown };
}

/** The origin that a request was sent to, as proxies say whom the platform trusts. */
function originOf(request: IncomingMessage): string {
  const known: PlatformRequest = platformRequest(request);
  const { app, protocol } = known;
  if (app === undefined) return `${protocol}://${known.host ?? known.hostname}`;
  // What Express says of the host has no port in version 4.
  const trusts = app.get("trust proxy fn") as (address: string | undefined, hop: number) => boolean;
  const forwarded = trusts(request.socket.remoteAddress, 0) ? request.headers["x-forwarded-host"] : undefined;
  return `${protocol}://${forwarded?.toString().split(",")[0]?.trim() ?? request.headers.host}`;
}

function isKnownByCookie(request: IncomingMessage): boolean {
  if (request.headers.cookie === undefined) return false;
  const { session, user } = platformRequest(request) as { session?: unknown; user?: unknown };
  return Boolean(session ?? user);
}
