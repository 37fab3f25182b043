import { createRequire } from "node:module";
import { Server } from "@plugboard/server";
import { BROADCAST_EVENT } from "./broadcast-event.mjs";
import { servePeer } from "./serve-peer.mjs";

/** Shorter than the default of 25 s, so that a run of minutes sees many heartbeats. */
const PING_INTERVAL_MS = 10_000;

await servePeer({
  dialect: "socket.io",
  version: createRequire(import.meta.url)("@plugboard/server/package.json").version,
  attach(httpServer) {
    const io = new Server(httpServer, {
      transports: ["websocket"],
      serveClient: false,
      pingInterval: PING_INTERVAL_MS,
    });
    let heartbeats = 0;
    const disconnections = {};
    io.on("connection", (socket) => {
      socket.on("echo", (payload, ack) => ack(payload));
      socket.on("disconnect", (reason) => (disconnections[reason] = (disconnections[reason] ?? 0) + 1));
      socket.conn.on("heartbeat", () => heartbeats++);
    });
    return {
      broadcast: () => io.emit(...BROADCAST_EVENT),
      counts: () => ({
        connections: io.engine.clientsCount,
        sockets: io.sockets.sockets.size,
        heartbeats,
        disconnections,
      }),
    };
  },
});
