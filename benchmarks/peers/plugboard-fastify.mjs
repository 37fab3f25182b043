import { createRequire } from "node:module";
import { socketio } from "@plugboard/fastify";
import Fastify from "fastify";
import { BROADCAST_EVENT } from "./broadcast-event.mjs";
import { servePeer } from "./serve-peer.mjs";

/** Our server in an application of Fastify that has nothing else: the handshake passes its router. */
await servePeer({
  dialect: "socket.io",
  version: createRequire(import.meta.url)("@plugboard/fastify/package.json").version,
  async attach(httpServer) {
    const app = Fastify({ serverFactory: (handler) => httpServer.on("request", handler) });
    await app.register(socketio, {
      transports: ["websocket"],
      perMessageDeflate: false,
      serveClient: false,
      // All load comes from one address.
      maxHandshakesPerSecond: Infinity,
    });
    app.io.on("connection", (socket) => {
      socket.on("echo", (payload, ack) => ack(payload));
    });
    await app.ready();
    return { broadcast: () => app.io.emit(...BROADCAST_EVENT) };
  },
});
