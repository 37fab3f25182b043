import { createRequire } from "node:module";
import { Server } from "@plugboard/server";
import { servePeer } from "./serve-peer.mjs";
import { talk } from "./talker.mjs";

await servePeer({
  dialect: "socket.io",
  version: createRequire(import.meta.url)("@plugboard/server/package.json").version,
  attach: (httpServer) =>
    talk(
      new Server(httpServer, {
        perMessageDeflate: false,
        serveClient: false,
        maxHandshakesPerSecond: Infinity,
        maxEventsPerSecond: Infinity,
      }),
    ),
});
