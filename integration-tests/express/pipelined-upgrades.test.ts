import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { whenClosed } from "../support/when-closed.js";
import { expressVersions } from "./peers.js";
import { startApp } from "./start-app.js";

describe.each(expressVersions)(
  "an upgrade behind a request that is not answered yet, on Express $version",
  (version) => {
    it.each(["/socket.io/?EIO=4&transport=websocket", "/elsewhere"])(
      "costs its own connection alone: %s",
      async (path) => {
        const { server, url } = await startApp(version, (app, io) => {
          app.use(io.middleware());
          app.get("/never", () => {});
          app.get("/page", (_req, res) => void res.send("page"));
        });
        const { port } = new URL(url);
        const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        const socket = connect(Number(port), "127.0.0.1", () =>
          socket.write(`GET /never HTTP/1.1\r\nHost: a\r\n\r\nGET ${path} HTTP/1.1\r\nHost: a\r\n${upgrade}${key}\r\n`),
        );
        onTestFinished(() => void socket.destroy());
        socket.resume();
        await whenClosed(socket);
        expect(await (await fetch(`${url}/page`)).text()).toBe("page");
        expect(server.listening).toBe(true);
      },
    );
  },
);
