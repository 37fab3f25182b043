import { createRequire } from "node:module";
import { socketio } from "@plugboard/express";
import express from "express";
import { BROADCAST_EVENT } from "./broadcast-event.mjs";
import { servePeer } from "./serve-peer.mjs";

/** Our server in an application of Express that has nothing else: the handshake passes its chain. */
servePeer({
  dialect: "socket.io",
  version: createRequire(import.meta.url)("@plugboard/express/package.json").version,
  attach(httpServer) {
    const app = express();
    const io = socketio(app, {
      server: httpServer.on("request", app),
      transports: ["websocket"],
      perMessageDeflate: false,
      serveClient: false,
      // All load comes from one address.
      maxHandshakesPerSecond: Infinity,
    });
    app.use(io.middleware());
    io.on("connection", (socket) => {
      socket.on("echo", (payload, ack) => ack(payload));
    });
    return { broadcast: () => io.emit(...BROADCAST_EVENT) };
  },
});
