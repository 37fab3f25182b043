import { bothClients } from "../support/both-clients.js";

export type TransportName = "polling" | "websocket";

/** Each client over each transport. */
export const routes = bothClients.flatMap((client) =>
  (["polling", "websocket"] as const).map((transport) => ({ client, transport, name: `${client.name}, ${transport}` })),
);
