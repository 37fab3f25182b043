import type { IncomingMessage } from "node:http";
import { addressKey, limitEvents, limitHandshakes } from "@plugboard/rate-limit";
import type { Server, Socket } from "@plugboard/server";
import type { RateLimits } from "./options.js";
import { platformRequest } from "./platform-front.js";

/** Where a client comes from, as the platform says if the handshake has passed it: behind proxies it knows whom to trust. */
export function addressOf(request: IncomingMessage): string {
  return (platformRequest(request) as { ip?: string }).ip ?? request.socket.remoteAddress ?? "";
}

const keyOf = (request: IncomingMessage): string => addressKey(addressOf(request));

/** @throws RangeError when points or duration of a rule are out of bounds */
export function limitRates(io: Server, { handshake, events }: RateLimits): void {
  if (handshake !== undefined) {
    const { by = "address" } = handshake;
    limitHandshakes(io, { ...handshake, by: typeof by === "function" ? by : keyOf });
  }
  if (events !== undefined) {
    const byAddress = events.by === "address" && { by: ({ request }: Socket) => keyOf(request) };
    limitEvents(io, { ...events, ...byAddress });
  }
}
