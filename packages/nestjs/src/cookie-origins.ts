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
    !isKnownByCookie(request) || isSameOrigin(nodeRequest(request), origin) || this.#readers.get(request) === origin;
}

function isKnownByCookie(request: IncomingMessage): boolean {
  if (request.headers.cookie === undefined) return false;
  const { session, user } = platformRequest(request) as { session?: unknown; user?: unknown };
  return Boolean(session ?? user);
}
