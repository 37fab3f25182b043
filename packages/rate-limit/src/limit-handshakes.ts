import type { IncomingMessage } from "node:http";
import type { ServerOptions } from "@plugboard/server";
import type { AnyServer } from "./any-socket.js";
import { Limit, type LimiterErrorPolicy } from "./limit.js";
import type { RateRule } from "./limiter.js";
import { addressKey } from "./socket-key.js";

/** See {@link limitHandshakes}. */
export type HandshakeLimitOptions = RateRule & {
  /**
   * Whom a handshake counts for: the address of its connection, or what a function says. Behind a proxy all clients have
   * the address of the proxy. Default: `"address"`.
   */
  by?: "address" | ((request: IncomingMessage) => string | number);
  /** What becomes of a handshake when the limiter fails or does not answer within a second. Default: `"allow"`. */
  onLimiterError?: LimiterErrorPolicy;
};

type AllowRequest = NonNullable<ServerOptions["allowRequest"]>;

/**
 * Limits how often clients begin a connection. A handshake beyond the limit is answered with HTTP 429 and `Retry-After`, over
 * polling and WebSocket alike, before a session is made and before the server's own `allowRequest` is asked. Requests of
 * connections that are open do not count.
 *
 * Works by the `allowRequest` option, before or after the server is attached: assigning that afterwards ends the limit.
 *
 * @throws RangeError with code `SIO_INVALID_LIMIT` when points or duration are out of bounds
 */
export function limitHandshakes(io: AnyServer, options: HandshakeLimitOptions): void {
  const { by = "address" } = options;
  const limit = new Limit(options, options.onLimiterError);
  const keyOf = (request: IncomingMessage): string =>
    by === "address" ? addressKey(request.socket.remoteAddress) : String(by(request));
  const limited =
    (allowRequest: AllowRequest | undefined): AllowRequest =>
    async (request, decide) => {
      const excess = await limit.check(() => keyOf(request), io);
      if (excess !== undefined) {
        const seconds = Math.ceil(excess.retryAfterMs / 1000);
        decide("Too many handshakes", false, { status: 429, headers: { "Retry-After": String(seconds) } });
      } else if (allowRequest === undefined) {
        decide(null, true);
      } else {
        await allowRequest(request, decide);
      }
    };
  io.configureEngines((engine) => {
    engine.allowRequest = limited(engine.allowRequest);
  });
}
