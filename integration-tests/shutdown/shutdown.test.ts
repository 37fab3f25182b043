import { describe, expect, it } from "vitest";
import { RawConnection, enginePath } from "../support/raw-connection.js";
import { startClosingServer, type Exit } from "./closing-server.js";
import { joinByPolling, joinByWebSocket, openPolling, openWebSocket } from "./peers.js";

/** Longer than the second that a WebSocket peer gets to answer the close frame, shorter than any other deadline. */
const SOON_MS = 10_000;

function expectCleanExit({ code, stderr, closedAfterMs }: Exit): void {
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(closedAfterMs).toBeLessThan(SOON_MS);
}

describe.concurrent("io.close() lets the process exit", () => {
  describe("over polling", () => {
    it("with open polls", async () => {
      const server = await startClosingServer();
      for (let client = 0; client < 3; client++) {
        const { connection, sid } = await joinByPolling(server.port);
        for (let request = 0; request < 3; request++) await server.told(request === 1 ? "POST" : "GET");
        connection.sendRequest("GET", enginePath("polling", sid));
        await server.told("GET");
      }
      expectCleanExit(await server.close());
    });

    it("with an upload in progress", async () => {
      const server = await startClosingServer();
      const { connection, sid } = await openPolling(server.port);
      connection.write(`POST ${enginePath("polling", sid)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n4`);
      await server.told("POST");
      expectCleanExit(await server.close());
    });

    it("with bodies that go on after their answer", async () => {
      const server = await startClosingServer({ options: { maxHttpBufferSize: 100 } });
      const { sid } = await openPolling(server.port);
      for (const id of [sid, "unknown"]) {
        const connection = await RawConnection.open(server.port);
        connection.write(
          `POST ${enginePath("polling", id)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n`,
        );
        connection.write("6".repeat(101));
        expect((await connection.nextAnswer()).status).toBe(id === sid ? 413 : 400);
      }
      expectCleanExit(await server.close());
    });

    it("with a session whose client polls no more", async () => {
      const server = await startClosingServer();
      await joinByPolling(server.port);
      expectCleanExit(await server.close());
    });

    it("with a session that waits for a poll to take its end along", async () => {
      const server = await startClosingServer({ setup: "ending connections by itself" });
      const { connection, sid } = await joinByPolling(server.port);
      await connection.request("POST", enginePath("polling", sid), '42["leave me"]');
      await server.told("sent away");
      expectCleanExit(await server.close());
    });
  });

  describe("in the middle of an upgrade", () => {
    it("with a candidate that says nothing", async () => {
      const server = await startClosingServer();
      const { sid } = await joinByPolling(server.port);
      const candidate = await RawConnection.open(server.port);
      expect(await candidate.upgrade(enginePath("websocket", sid))).toBe(101);
      expectCleanExit(await server.close());
    });

    it("with a candidate that has probed", async () => {
      const server = await startClosingServer();
      const { sid } = await joinByPolling(server.port);
      const candidate = await RawConnection.open(server.port);
      await candidate.upgrade(enginePath("websocket", sid));
      candidate.sendText("2probe");
      expect(await candidate.nextText()).toBe("3probe");
      expectCleanExit(await server.close());
    });

    it("with a candidate that was given up", async () => {
      const server = await startClosingServer();
      const { sid } = await joinByPolling(server.port);
      const candidate = await RawConnection.open(server.port);
      await candidate.upgrade(enginePath("websocket", sid));
      candidate.sendText("4too early");
      expect(await candidate.nextText()).toBeUndefined();
      expectCleanExit(await server.close());
    });

    it("with a second candidate that was turned away", async () => {
      const server = await startClosingServer();
      const { sid } = await joinByPolling(server.port);
      const [first, second] = [await RawConnection.open(server.port), await RawConnection.open(server.port)];
      await first.upgrade(enginePath("websocket", sid));
      await second.upgrade(enginePath("websocket", sid));
      expect(await second.nextText()).toBeUndefined();
      expectCleanExit(await server.close());
    });

    it("right after the upgrade, with the polling connection still open", async () => {
      const server = await startClosingServer();
      const { sid } = await joinByPolling(server.port);
      const candidate = await RawConnection.open(server.port);
      await candidate.upgrade(enginePath("websocket", sid));
      candidate.sendText("2probe");
      await candidate.nextText();
      candidate.sendText("5");
      candidate.sendText('421["unknown"]');
      expectCleanExit(await server.close());
    });

    it("that belongs to somebody else and is never taken", async () => {
      const server = await startClosingServer();
      const stranger = await RawConnection.open(server.port);
      stranger.write("GET /other HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
      // Answered, so what came before on another connection has arrived too.
      await (await RawConnection.open(server.port)).request("GET", "/socket.io/");
      expectCleanExit(await server.close());
    });
  });

  describe("over websocket", () => {
    it("with peers that never answer the close frame", async () => {
      const server = await startClosingServer();
      for (let client = 0; client < 3; client++) await joinByWebSocket(server.port);
      expectCleanExit(await server.close());
    });

    it("with a peer that was sent away before and has not answered that close frame", async () => {
      const server = await startClosingServer({ setup: "sending its clients away" });
      const peer = await joinByWebSocket(server.port);
      peer.sendText('42["leave me"]');
      await server.told("sent away");
      expectCleanExit(await server.close());
    });

    it("with a peer that has broken the rules of WebSocket and stays", async () => {
      const server = await startClosingServer();
      const peer = await joinByWebSocket(server.port);
      // Not masked.
      peer.write(Buffer.from([0x81, 0x01, 0x32]));
      expect(await peer.nextText()).toBeUndefined();
      expectCleanExit(await server.close());
    });

    it("with a peer that has broken the rules of Socket.IO and stays", async () => {
      const server = await startClosingServer();
      const peer = await joinByWebSocket(server.port);
      peer.sendText("4nonsense");
      expect(await peer.nextText()).toBeUndefined();
      expectCleanExit(await server.close());
    });

    it.each(["disconnect", "pause"] as const)(
      "with a peer that has stopped reading while much waits for it (%s)",
      async (slowConsumer) => {
        const server = await startClosingServer({
          setup: "flooding its clients",
          options: { slowConsumer, ...(slowConsumer === "pause" && { maxBufferedBytes: 10_000_000 }) },
        });
        const peer = await joinByWebSocket(server.port);
        peer.socket.pause();
        peer.sendText('42["flood"]');
        await server.told("flooded");
        expectCleanExit(await server.close());
      },
    );

    it("with a peer that has stopped reading compressed messages", async () => {
      const server = await startClosingServer({
        setup: "flooding its clients",
        options: { perMessageDeflate: { threshold: 0 } },
      });
      const peer = await joinByWebSocket(server.port);
      peer.socket.pause();
      peer.sendText('42["flood"]');
      await server.told("flooded");
      expectCleanExit(await server.close());
    });

    it("with a pong missing", async () => {
      const server = await startClosingServer({ setup: "with a pending ping", options: { pingInterval: 50 } });
      await joinByWebSocket(server.port);
      await server.told("pinged");
      expectCleanExit(await server.close());
    });
  });

  describe("with code of the user running:", () => {
    it("listeners that never end, without waiting for them", async () => {
      const server = await startClosingServer({ setup: "with handlers that never end" });
      const peer = await joinByWebSocket(server.port);
      peer.sendText('42["work"]');
      await server.told("working");
      expectCleanExit(await server.close());
    });

    it("listeners that never end, after waiting as long as it was told to", async () => {
      const server = await startClosingServer({ setup: "with handlers that never end" });
      const peer = await joinByWebSocket(server.port);
      peer.sendText('42["work"]');
      await server.told("working");
      const exit = await server.close({ timeoutMs: 250 });
      expectCleanExit(exit);
      expect(exit.closedAfterMs).toBeGreaterThanOrEqual(250);
    });

    it("listeners that end, after waiting for them", async () => {
      const server = await startClosingServer({ setup: "with handlers that end" });
      const peer = await joinByWebSocket(server.port);
      peer.sendText('42["work"]');
      await server.told("working");
      const exit = await server.close({ timeoutMs: 60_000 });
      expectCleanExit(exit);
      expect(exit.stdout).toMatch(/^worked\nclosed/);
    });

    it("handshakes that are never decided", async () => {
      const server = await startClosingServer({ setup: "with handshakes that are never decided" });
      (await RawConnection.open(server.port)).sendRequest("GET", enginePath("polling"));
      await server.told("asked");
      void (await RawConnection.open(server.port)).upgrade(enginePath("websocket")).catch(() => {});
      await server.told("asked");
      expectCleanExit(await server.close());
    });

    it("an engine middleware that never decides, after waiting as long as it was told to", async () => {
      const server = await startClosingServer({ setup: "with an engine middleware that never decides" });
      (await RawConnection.open(server.port)).sendRequest("GET", enginePath("polling"));
      await server.told("asked");
      expectCleanExit(await server.close({ timeoutMs: 100 }));
    });

    it("a middleware that never decides", async () => {
      const server = await startClosingServer({ setup: "with a middleware that never decides" });
      const peer = await openWebSocket(server.port);
      peer.sendText("40");
      await server.told("asked");
      expectCleanExit(await server.close());
    });

    it("an event middleware that never decides", async () => {
      const server = await startClosingServer({ setup: "with an event middleware that never decides" });
      const peer = await joinByWebSocket(server.port);
      peer.sendText('42["event"]');
      await server.told("asked");
      expectCleanExit(await server.close());
    });

    it("a dynamic namespace that never decides", async () => {
      const server = await startClosingServer({ setup: "with a dynamic namespace that never decides" });
      const peer = await openWebSocket(server.port);
      peer.sendText("40/other,");
      await server.told("asked");
      expectCleanExit(await server.close());
    });
  });

  describe("with something unanswered or kept:", () => {
    it("connections that have joined no namespace", async () => {
      const server = await startClosingServer();
      await openWebSocket(server.port);
      await openPolling(server.port);
      expectCleanExit(await server.close());
    });

    it.each(["waiting for acknowledgements", "waiting for acknowledgements of a broadcast"])(
      "a server %s, with a timeout",
      async (setup) => {
        const server = await startClosingServer({ setup });
        const peer = await joinByWebSocket(server.port);
        expect(await peer.nextText()).toBe('420["question"]');
        expectCleanExit(await server.close());
      },
    );

    it("a server waiting for acknowledgements of who is gone, with a timeout", async () => {
      const server = await startClosingServer({ setup: "waiting for acknowledgements of who is gone" });
      const peer = await joinByWebSocket(server.port);
      peer.reset();
      await server.told("gone");
      expectCleanExit(await server.close());
    });

    it("sessions and packets stored for clients that may come back", async () => {
      const server = await startClosingServer({ setup: "storing sessions", options: { connectionStateRecovery: {} } });
      for (let client = 0; client < 3; client++) {
        const peer = await joinByWebSocket(server.port);
        expect(await peer.nextText()).toMatch(/^42\["news"/);
        peer.reset();
        await server.told("gone");
      }
      expectCleanExit(await server.close());
    });
  });

  describe("whatever it listens with:", () => {
    it.each(["http server", "port"] as const)("%s", async (target) => {
      const server = await startClosingServer({ target });
      await joinByWebSocket(server.port);
      await joinByPolling(server.port);
      expectCleanExit(await server.close());
    });

    it("an HTTP server that its owner closes", async () => {
      const server = await startClosingServer();
      await joinByWebSocket(server.port);
      const { connection, sid } = await joinByPolling(server.port);
      connection.sendRequest("GET", enginePath("polling", sid));
      expectCleanExit(await server.close({ closeHttpServer: false }));
    });

    it("an HTTP server with idle connections", async () => {
      const server = await startClosingServer();
      const idle = await RawConnection.open(server.port);
      expect((await idle.request("GET", "/socket.io/?transport=none")).status).toBe(400);
      expectCleanExit(await server.close());
    });

    it("an HTTP server with connections that have not said anything", async () => {
      const server = await startClosingServer();
      await RawConnection.open(server.port);
      await server.told("connection");
      expectCleanExit(await server.close());
    });

    it("an HTTP server with a request that is not complete", async () => {
      const server = await startClosingServer();
      const slow = await RawConnection.open(server.port);
      slow.write("GET /socket.io/ HTT");
      await server.told("connection");
      expectCleanExit(await server.close());
    });
  });
});
