import type { IncomingMessage } from "node:http";
import type { HttpRequestLike } from "./http-port.js";
import { corsAllowsCookies } from "./node/cors-middleware.js";
import type { ResolvedEngineOptions } from "./options.js";
import { refusal, type Refusal } from "./refusal.js";

/** An origin as browsers write it: a scheme, a host and perhaps a port, nothing else. */
const HTTP_ORIGIN = /^(https?):\/\/([^\s/?#@\\]+)$/i;
const AUTHORITY = /^[^\s/?#@\\]+$/;

/**
 * Whether a page of this origin is one of the server that the request was sent to: scheme, host and port are the same.
 *
 * The host and port are those the client asked for (`Host`, or `:authority` of HTTP/2). On an encrypted connection the
 * scheme has to be `https`. On a plain one it may be either: a proxy in front may have taken the encryption off, and a
 * page of `https` with this host and port is ours then; the default port follows the scheme of the page.
 */
export function isSameOrigin(request: HttpRequestLike, origin: string): boolean {
  const [, scheme, theirs] = HTTP_ORIGIN.exec(origin) ?? [];
  const ours = request.header(":authority") ?? request.header("host");
  if (scheme === undefined || theirs === undefined || ours === undefined || !AUTHORITY.test(ours)) return false;
  if (request.isEncrypted === true && scheme.toLowerCase() !== "https") return false;
  const host = normalHost(scheme, theirs);
  return host !== undefined && host === normalHost(scheme, ours);
}

/** Host and port in one spelling: lower case, addresses in their short form, no default port. */
function normalHost(scheme: string, authority: string): string | undefined {
  try {
    return new URL(`${scheme}://${authority}`).host;
  } catch {
    return undefined;
  }
}

/**
 * Whether a page sent a request without an `Origin` that is not one of ours: an image, a script, a `no-cors` fetch. Such a
 * page cannot read the answer, except as a script: so polling through scripts (JSONP) has to prove where it comes from.
 */
function isFromForeignPage(request: HttpRequestLike): boolean {
  const site = request.header("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") return true;
  return site !== "same-origin" && request.query["j"] !== undefined;
}

/** Applies the `checkOrigin` option to a request that nothing is known about. */
export async function checkOrigin(
  request: HttpRequestLike,
  options: ResolvedEngineOptions,
): Promise<Refusal | undefined> {
  const rule = options.checkOrigin;
  if (!rule) return undefined;
  const origin = request.header("origin");
  if (origin === undefined) return isFromForeignPage(request) ? foreignOrigin(request) : undefined;
  try {
    const isAllowed =
      typeof rule === "function"
        ? (await rule(origin, request.raw as IncomingMessage)) === true
        : isSameOrigin(request, origin) || (await corsAllowsCookies(options.cors, request, origin));
    return isAllowed ? undefined : foreignOrigin(request);
  } catch (error) {
    return foreignOrigin(request, { error });
  }
}

/**
 * Applies it to a request of a session. A session belongs to the first origin that it is asked from: requests of a page
 * to its own server carry none, unless they post or upgrade.
 *
 * @param first - that origin, if there was one
 * @returns whether the request may go on; undefined when it has to be checked like a handshake
 */
export function isOfOrigin(first: string | undefined, request: HttpRequestLike): boolean | undefined {
  const origin = request.header("origin");
  if (origin === undefined) return !isFromForeignPage(request);
  return first === undefined ? undefined : origin === first;
}

export function foreignOrigin(request: HttpRequestLike, more: { error?: unknown } = {}): Refusal {
  const origin = request.header("origin");
  return refusal("FORBIDDEN", { name: "ORIGIN_NOT_ALLOWED", message: "Origin not allowed", origin, ...more }, 403);
}
