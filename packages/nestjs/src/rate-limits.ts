import type { IncomingMessage } from "node:http";
import { addressKey, limitEvents, limitHandshakes } from "@plugboard/rate-limit";
import type { Server, Socket } from "@plugboard/server";
import { nestjsError } from "./nestjs-error.js";
import type { RateLimits } from "./options.js";
import { platformRequest } from "./platform-front.js";

/** Where a client comes from, as the platform says if the handshake has passed it: behind proxies it knows whom to trust. */
export function addressOf(request: IncomingMessage): string {
  return (platformRequest(request) as { ip?: string }).ip ?? request.socket.remoteAddress ?? "";
}

const keyOf = (request: IncomingMessage): string => addressKey(addressOf(request));

/** @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` when points or duration of a rule are out of bounds */
export function limitRates(io: Server, { handshake, events }: RateLimits): void {
  if (handshake !== undefined) {
    const { by = "address" } = handshake;
    named("handshake", () => limitHandshakes(io, { ...handshake, by: typeof by === "function" ? by : keyOf }));
  }
  if (events !== undefined) {
    const byAddress = events.by === "address" && { by: ({ request }: Socket) => keyOf(request) };
    named("events", () => limitEvents(io, { ...events, ...byAddress }));
  }
}

function named(name: keyof RateLimits, limit: () => void): void {
  try {
    limit();
  } catch (error) {
    throw nestjsError("SIO_NESTJS_INVALID_OPTION", `rateLimit.${name}: ${(error as Error).message}`, error);
  }
}
