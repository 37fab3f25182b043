import type { Abuse } from "../abuse.js";
import { FRAMES } from "./frames.js";
import { HALF_OPEN } from "./half-open.js";
import { MALFORMED_REQUESTS } from "./malformed-requests.js";
import { MALFORMED_UPGRADES } from "./malformed-upgrades.js";
import { PACKETS } from "./packets.js";
import { PAYLOADS } from "./payloads.js";

/** Every abuse, by what is abused. */
export const ABUSES: Readonly<Record<string, readonly Abuse[]>> = {
  "HTTP requests": MALFORMED_REQUESTS,
  upgrades: MALFORMED_UPGRADES,
  "polling payloads": PAYLOADS,
  "WebSocket frames": FRAMES,
  "Socket.IO packets": PACKETS,
  "half-open connections": HALF_OPEN,
};
