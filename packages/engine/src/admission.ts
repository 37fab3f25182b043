import type { IncomingMessage } from "node:http";
import type { HttpRequestLike } from "./http-port.js";
import type { HandshakeLimit } from "./handshake-limit.js";
import type { ResolvedEngineOptions } from "./options.js";
import { checkOrigin } from "./origin-rule.js";
import { refusal, type Refusal } from "./refusal.js";
import type { EngineSession } from "./session.js";

const TOO_MANY_HANDSHAKES: Refusal = {
  error: "FORBIDDEN",
  context: { name: "TOO_MANY_HANDSHAKES", message: "Too many handshakes" },
  status: 429,
};

/** The protocol a client speaks; whatever is not 4 counts as 3 (spec/server.md 1.3). */
export function requestedProtocol(request: HttpRequestLike): number {
  return request.query["EIO"] === "4" ? 4 : 3;
}

/** The transport and the origin: what every request of ours has to get right. */
export function checkRequest(request: HttpRequestLike, options: ResolvedEngineOptions): Refusal | undefined {
  const { transport } = request.query;
  if (
    transport === undefined ||
    transport === "webtransport" ||
    !(options.transports as string[]).includes(transport)
  ) {
    return refusal("UNKNOWN_TRANSPORT", { transport });
  }
  const origin = request.header("origin");
  if (origin !== undefined && !isFieldValue(origin)) {
    forgetOrigin(request.raw);
    return refusal("BAD_REQUEST", { name: "INVALID_ORIGIN", origin });
  }
  return undefined;
}

/** Finds the session of a request that names one, or says what is wrong with it. */
export function checkSession(
  request: HttpRequestLike,
  sessions: Readonly<Record<string, EngineSession>>,
  isUpgrade: boolean,
): EngineSession | Refusal {
  const { sid = "", transport } = request.query;
  const session = Object.hasOwn(sessions, sid) ? sessions[sid] : undefined;
  if (session === undefined) return refusal("UNKNOWN_SID", { sid });
  const protocol = requestedProtocol(request);
  if (protocol !== session.protocol) {
    const previousProtocol = session.protocol;
    return refusal("BAD_REQUEST", { name: "PROTOCOL_MISMATCH", protocol, previousProtocol });
  }
  const previousTransport = session.transport.name;
  if (!isUpgrade && previousTransport !== transport) {
    return refusal("BAD_REQUEST", { name: "TRANSPORT_MISMATCH", transport, previousTransport });
  }
  return session;
}

/** Whether a request without a session may become one; `allowRequest` has the last word but one. */
export async function checkHandshake(
  request: HttpRequestLike,
  options: ResolvedEngineOptions,
  limit: HandshakeLimit,
  isUpgrade: boolean,
): Promise<Refusal | undefined> {
  if (request.method !== "GET") return refusal("BAD_HANDSHAKE_METHOD", { method: request.method });
  if (!isUpgrade && request.query["transport"] === "websocket") {
    return refusal("BAD_REQUEST", { name: "TRANSPORT_HANDSHAKE_ERROR" });
  }
  if (!limit.admit(request.remoteAddress ?? "", options.maxHandshakesPerSecond)) return TOO_MANY_HANDSHAKES;
  const foreign = await checkOrigin(request, options);
  if (foreign !== undefined) return foreign;
  const denied = await askUser(request, options);
  if (denied !== undefined) return denied;
  const protocol = requestedProtocol(request);
  return protocol === 4 ? undefined : refusal("UNSUPPORTED_PROTOCOL_VERSION", { protocol });
}

/** Asks `allowRequest`. One that throws or rejects lets nobody in. */
function askUser(request: HttpRequestLike, { allowRequest }: ResolvedEngineOptions): Promise<Refusal | undefined> {
  if (allowRequest === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const fail = (error: unknown): void => resolve(refusal("FORBIDDEN", { message: undefined, error }));
    try {
      const result: unknown = allowRequest(request.raw as IncomingMessage, (message, success, how) => {
        const { status, headers } = how ?? {};
        const isStatus = status !== undefined && status >= 400 && status < 600;
        resolve(
          success
            ? undefined
            : { ...refusal("FORBIDDEN", { message }), status: isStatus ? status : undefined, headers },
        );
      });
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
        (result as PromiseLike<unknown>).then(undefined, fail);
      }
    } catch (error) {
      fail(error);
    }
  });
}

/** Whoever answers or logs this request must not take the value over (spec/server.md 1.4). */
function forgetOrigin(raw: unknown): void {
  const headers = (raw as { headers?: Record<string, unknown> } | undefined)?.headers;
  if (headers !== undefined) headers["origin"] = null;
}

/** Tab, visible ASCII and space, and the upper half of latin1: what a header field may hold. */
function isFieldValue(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code !== 9 && (code < 0x20 || code === 0x7f || code > 0xff)) return false;
  }
  return true;
}
