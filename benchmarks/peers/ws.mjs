import { createRequire } from "node:module";
import { WebSocketServer } from "ws";
import { BROADCAST_TEXT } from "../load/dialects.mjs";
import { servePeer } from "./serve-peer.mjs";

await servePeer({
  dialect: "websocket",
  version: createRequire(import.meta.url)("ws/package.json").version,
  attach(httpServer) {
    const wss = new WebSocketServer({ server: httpServer, perMessageDeflate: false });
    wss.on("connection", (socket) => {
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    return {
      broadcast() {
        for (const socket of wss.clients) socket.send(BROADCAST_TEXT);
      },
    };
  },
});
