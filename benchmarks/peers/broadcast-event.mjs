import { PAYLOAD } from "../load/dialects.mjs";

/** The arguments of `io.emit` in the broadcast scenarios. */
export const BROADCAST_EVENT = ["news", PAYLOAD];
