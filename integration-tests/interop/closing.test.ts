import { createServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { once } from "node:events";
import { expect, it, vi } from "vitest";
import { connectPair, openClient } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

interopSuite("closing", ({ startServer, implementation, oursOnly }) => {
  it("ends open polls, websockets and upgraded connections and frees the port", async () => {
    const server = await startServer();
    const ends = [
      await connectPair(server, { travel: "polling" }),
      await connectPair(server, { travel: "websocket" }),
      await connectPair(server, { travel: "upgrade" }),
    ];
    const gone = ends.map(({ client }) => nextEvent<[string]>(client, "disconnect"));
    const left = ends.map(({ socket }) => nextEvent(socket, "disconnect"));

    await server.io.close();

    for (const [reason] of await Promise.all(left)) expect(reason).toBe("server shutting down");
    for (const [reason] of await Promise.all(gone)) expect(reason).toMatch(/^transport (close|error)$/);
    expect(server.io.sockets.sockets.size).toBe(0);
    expect(server.io.engine.clientsCount).toBe(0);
    expect(server.webServer.listening).toBe(false);
    const successor = createServer().listen(server.port, "127.0.0.1");
    await once(successor, "listening");
    successor.close();
  });

  it("sends no packet that would keep the clients away", async () => {
    const server = await startServer();
    const { client } = await connectPair(server, { reconnection: true });
    const gone = nextEvent(client, "disconnect");

    await server.io.close();
    await gone;

    expect(client.active).toBe(true);
  });

  it("ends a connection in the middle of its upgrade", async () => {
    const server = await startServer();
    const upgrading = new Promise<void>((resolve) => {
      server.io.engine.on("connection", (conn: object) => void nextEvent(conn, "upgrading").then(() => resolve()));
    });
    openClient(server.url, { travel: "upgrade" });
    await upgrading;

    await server.io.close();

    expect(server.io.engine.clientsCount).toBe(0);
    await new Promise<void>((resolve) => {
      (server.webServer as HttpServer).getConnections((_error, count) => {
        expect(count).toBe(0);
        resolve();
      });
    });
  });

  it("ends a connection that has joined no namespace yet", async () => {
    const server = await startServer();
    const client = openClient(server.url, { autoConnect: false });
    client.io.open();
    await nextEvent(client.io, "open");
    const closed = nextEvent(client.io, "close");

    await server.io.close();

    expect((await closed)[0]).toBe("transport close");
  });

  it("calls back when it is over", async () => {
    const server = await startServer();
    const called = vi.fn();

    await server.io.close(called);

    expect(called).toHaveBeenCalledOnce();
    expect(called.mock.calls[0]?.[0]).toBeUndefined();
    expect(server.webServer.listening).toBe(false);
  });

  it("tells the callback, and not the promise, that the web server was not running", async () => {
    const io = implementation.createServer(createServer(), {});
    const called = vi.fn();

    await expect(io.close(called)).resolves.toBeUndefined();

    expect(called).toHaveBeenCalledOnce();
    expect(called.mock.calls[0]?.[0]).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
  });

  it("may be closed twice", async () => {
    const server = await startServer();

    await Promise.all([server.io.close(), server.io.close()]);
    await server.io.close();

    expect(server.webServer.listening).toBe(false);
  });

  it("closes with its web server", async () => {
    const server = await startServer();
    const { client } = await connectPair(server);
    const gone = nextEvent(client, "disconnect");
    const closed = once(server.webServer, "close");

    server.webServer.close();
    // A websocket holds its web server open until somebody lets go of it.
    server.io.engine.close();
    await closed;

    expect((await gone)[0]).toBe("transport close");
  });

  oursOnly("closes a server that was never attached", "there it rejects with a TypeError", async () => {
    const io = implementation.createServer(undefined, {});

    await expect(io.close()).resolves.toBeUndefined();
  });
});
