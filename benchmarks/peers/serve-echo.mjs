import { createRequire } from "node:module";
import { Server } from "@plugboard/server";
import { BROADCAST_EVENT } from "./broadcast-event.mjs";
import { servePeer } from "./serve-peer.mjs";

/**
 * Our server as a peer.
 *
 * @param {(io: Server) => void} listen makes it answer `echo` with its payload
 */
export function serveEcho(listen) {
  return servePeer({
    dialect: "socket.io",
    version: createRequire(import.meta.url)("@plugboard/server/package.json").version,
    attach(httpServer) {
      const io = new Server(httpServer, {
        transports: ["websocket"],
        perMessageDeflate: false,
        serveClient: false,
        // All load comes from one address.
        maxHandshakesPerSecond: Infinity,
      });
      listen(io);
      return { broadcast: () => io.emit(...BROADCAST_EVENT) };
    },
  });
}
