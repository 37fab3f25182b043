import { createRequire } from "node:module";
import { Server } from "@plugboard/server";
import { BROADCAST_EVENT } from "./broadcast-event.mjs";
import { servePeer } from "./serve-peer.mjs";

await servePeer({
  dialect: "socket.io",
  version: createRequire(import.meta.url)("@plugboard/server/package.json").version,
  attach(httpServer) {
    const io = new Server(httpServer, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
    io.on("connection", (socket) => {
      socket.on("echo", (payload, ack) => ack(payload));
    });
    return { broadcast: () => io.emit(...BROADCAST_EVENT) };
  },
});
