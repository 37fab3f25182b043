import { once } from "node:events";
import { createServer } from "node:http";
import { Engine } from "@plugboard/engine";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Server, type Socket } from "./index.js";

async function pair(): Promise<{ io: Server; engine: FakeEngine; socket: Socket; connection: FakeConnection }> {
  const engine = new FakeEngine();
  const io = new Server().bind(engine);
  const { connection, sid } = await engine.join();
  return { io, engine, socket: io.sockets.sockets.get(sid)!, connection };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the end of a socket", () => {
  it("is told while its rooms are still there, and again when they are gone", async () => {
    const { io, socket, connection } = await pair();
    const log: unknown[] = [];
    void socket.join("room");
    socket.on("disconnecting", (...args) => log.push([...args, socket.connected, [...socket.rooms]]));
    socket.on("disconnect", (...args) => log.push([...args, socket.connected, socket.rooms]));
    const description = new Error("reset");
    connection.drop("transport error", description);
    expect(log).toEqual([
      ["transport error", description, true, [socket.id, "room"]],
      ["transport error", description, false, new Set()],
    ]);
    expect(socket.disconnected).toBe(true);
    expect(io.sockets.sockets.size).toBe(0);
    expect(io.sockets.adapter.rooms.size).toBe(0);
  });

  it("happens once, even if a listener of it ends the socket again", async () => {
    const { socket, connection } = await pair();
    const gone = vi.fn();
    socket.on("disconnecting", () => socket.disconnect());
    socket.on("disconnecting", () => socket.disconnect(true));
    socket.on("disconnect", () => void socket.disconnect(true));
    socket.on("disconnect", gone);
    socket.disconnect();
    connection.drop();
    expect(gone.mock.calls).toEqual([["server namespace disconnect", undefined]]);
    expect(connection.take()).toEqual(["1"]);
  });

  it("lets it join no room any more", async () => {
    const { io, socket } = await pair();
    socket.disconnect();
    await socket.join("room");
    expect(io.sockets.adapter.rooms.size).toBe(0);
  });

  it("by the server sends DISCONNECT and keeps the connection", async () => {
    const { io, socket, connection } = await pair();
    io.of("/chat");
    expect(socket.disconnect()).toBe(socket);
    socket.disconnect();
    expect(connection.take()).toEqual(["1"]);
    expect(connection.readyState).toBe("open");
  });

  it("by the server with its connection ends the sockets of all namespaces", async () => {
    const { io, engine, socket, connection } = await pair();
    const reasons: unknown[] = [];
    io.of("/chat").on("connection", (chat) => chat.on("disconnect", (reason) => reasons.push(reason)));
    socket.on("disconnect", (reason) => reasons.push(reason));
    await engine.join("/chat", undefined, connection);
    socket.disconnect(true);
    expect(connection.take()).toEqual(["1", "1/chat,"]);
    expect(reasons).toEqual(["server namespace disconnect", "server namespace disconnect"]);
    expect(connection.readyState).toBe("closed");
  });
});

describe("a rehandshake", () => {
  it("closes the connection without a DISCONNECT packet, so that the client comes back", async () => {
    const { io, engine, socket, connection } = await pair();
    const log: unknown[] = [];
    io.of("/chat").on("connection", (chat) => chat.on("disconnect", (...args) => log.push(args)));
    socket.on("disconnect", (...args) => log.push(args));
    await engine.join("/chat", undefined, connection);
    socket.rehandshake("logged out");
    expect(connection.take()).toEqual([]);
    expect(connection.readyState).toBe("closed");
    expect(log).toEqual(Array(2).fill(["forced server close", "logged out"]));
  });
});

describe("the end of a server", () => {
  it("tells the sockets at once, sends no DISCONNECT packet and closes the connections", async () => {
    const { io, engine, socket, connection } = await pair();
    const reasons: unknown[] = [];
    socket.on("disconnect", (reason) => reasons.push(reason));
    const waiting = engine.open();
    const adapterClosed = vi.spyOn(io.sockets.adapter, "close");
    const callback = vi.fn();
    const closed = io.close(callback);
    expect(reasons).toEqual(["server shutting down"]);
    await closed;
    expect(connection.take()).toEqual([]);
    expect([connection.readyState, waiting.readyState]).toEqual(["closed", "closed"]);
    expect(io.sockets.sockets.size).toBe(0);
    expect(adapterClosed).toHaveBeenCalledTimes(1);
    expect(callback).toHaveBeenCalledWith(undefined);
  });

  it("resolves without an engine, and whatever adapters do", async () => {
    const io = new Server();
    vi.spyOn(io.sockets.adapter, "close").mockRejectedValue(new Error("gone"));
    await io.close();
  });

  it("tells the callback alone when the HTTP server was not running", async () => {
    const io = new Server(createServer());
    const callback = vi.fn();
    await io.close(callback);
    expect(callback).toHaveBeenCalledWith(expect.objectContaining({ code: "ERR_SERVER_NOT_RUNNING" }));
  });

  it("is one end for all who ask for it at the same time, and all callbacks get the same", async () => {
    const httpServer = createServer().listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    const io = new Server(httpServer);
    const callbacks = [vi.fn(), vi.fn()];
    await Promise.all(callbacks.map((callback) => io.close(callback)));
    for (const callback of callbacks) expect(callback.mock.calls).toEqual([[undefined]]);
    const late = vi.fn();
    await io.close(late);
    expect(late).toHaveBeenCalledWith(expect.objectContaining({ code: "ERR_SERVER_NOT_RUNNING" }));
  });

  it("is not over for who asks again before it is", async () => {
    const { io, engine } = await pair();
    let closeAdapter = (): void => {};
    const adapterClose = vi.spyOn(io.sockets.adapter, "close");
    adapterClose.mockReturnValue(new Promise<void>((resolve) => (closeAdapter = resolve)));
    const log: string[] = [];
    const first = io.close().then(() => log.push("first"));
    const second = io.close({ timeoutMs: 0 }).then(() => log.push("second"));
    await turn();
    expect(log).toEqual([]);
    expect(engine.open().readyState).toBe("closed");
    closeAdapter();
    await Promise.all([first, second]);
    expect(adapterClose).toHaveBeenCalledTimes(1);
  });

  it("admits nobody whose middlewares are still running", async () => {
    const { io, engine } = await pair();
    const onConnection = vi.fn();
    let proceed = (): void => {};
    io.use((_socket, next) => {
      proceed = next;
    });
    io.on("connection", onConnection);
    engine.open().receive("0");
    await io.close();
    proceed();
    await turn();
    expect(onConnection).not.toHaveBeenCalled();
    expect(io.sockets._preConnectSockets.size).toBe(0);
  });

  it("lets the server be bound again", async () => {
    const { io } = await pair();
    await io.close();
    const engine = new FakeEngine();
    io.bind(engine);
    await engine.join();
  });

  it("lets it be attached to another HTTP server, and ends that one alone the next time", async () => {
    const servers = [createServer(), createServer()];
    const io = new Server();
    for (const httpServer of servers) {
      await once(httpServer.listen(0, "127.0.0.1"), "listening");
      io.attach(httpServer);
      const callback = vi.fn();
      await io.close(callback);
      expect(callback).toHaveBeenCalledWith(undefined);
      expect(httpServer.listening).toBe(false);
    }
  });

  it("takes an engine that was bound off its HTTP server, which goes on", async () => {
    const httpServer = createServer();
    const own = (): void => {};
    httpServer.on("request", own);
    const engine = new Engine();
    engine.attach(httpServer);
    await new Server().bind(engine).close();
    expect(httpServer.listeners("request")).toEqual([own]);
  });
});

describe("the end of a server with a deadline", () => {
  it("waits for running listeners, those of disconnect included, and lets nothing new in", async () => {
    const { io, engine, socket, connection } = await pair();
    const log: string[] = [];
    let finish = (): void => {};
    let cleanUp = (): void => {};
    socket.on("work", async (ack: (value: string) => void) => {
      await new Promise<void>((resolve) => (finish = resolve));
      ack("done");
    });
    socket.on("disconnect", async () => {
      await new Promise<void>((resolve) => (cleanUp = resolve));
      log.push("cleaned up");
    });
    connection.receive('21["work"]');
    const closed = io.close({ timeoutMs: 60_000 }).then(() => log.push("closed"));
    connection.receive('22["work"]');
    const late = engine.open();
    expect(late.readyState).toBe("closed");
    expect(socket.connected).toBe(true);
    finish();
    await turn();
    expect(connection.take()).toEqual(['31["done"]']);
    expect(socket.connected).toBe(false);
    expect(connection.readyState).toBe("open");
    cleanUp();
    await closed;
    expect(log).toEqual(["cleaned up", "closed"]);
    expect(connection.readyState).toBe("closed");
  });

  it("admits nobody meanwhile, not even who asked before", async () => {
    const { io, engine, socket, connection } = await pair();
    let finish = (): void => {};
    let proceed = (): void => {};
    const onConnection = vi.fn();
    io.use((_socket, next) => {
      proceed = next;
    });
    io.on("connection", onConnection);
    socket.on("work", () => new Promise<void>((resolve) => (finish = resolve)));
    connection.receive('2["work"]');
    const early = engine.open();
    const late = engine.open();
    early.receive("0");
    const closed = io.close({ timeoutMs: 60_000 });
    late.receive("0");
    proceed();
    await turn();
    expect([early.take(), late.take()]).toEqual([[], []]);
    expect(onConnection).not.toHaveBeenCalled();
    finish();
    await closed;
  });

  it("does not wait for ever", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { io, socket, connection } = await pair();
    socket.on("work", () => new Promise<void>(() => {}));
    connection.receive('2["work"]');
    const closed = io.close({ timeoutMs: 100 });
    vi.advanceTimersByTime(100);
    await closed;
    expect(connection.readyState).toBe("closed");
  });

  it("can leave the HTTP server running, without the engine", async () => {
    const httpServer = createServer();
    const own = vi.fn();
    httpServer.on("request", own);
    const io = new Server(httpServer);
    expect(httpServer.listeners("request")).not.toEqual([own]);
    const close = vi.spyOn(httpServer, "close");
    await io.close({ closeHttpServer: false });
    expect(close).not.toHaveBeenCalled();
    expect(httpServer.listeners("request")).toEqual([own]);
  });

  it("leaves each HTTP server it was attached to, however often", async () => {
    const [first, second] = [createServer(), createServer()];
    const before = [first, second].map((httpServer) => {
      const own = (): void => {};
      httpServer.on("request", own);
      return own;
    });
    const io = new Server(first).attach(second).attach(first, { path: "/other" });
    await io.close({ closeHttpServer: false });
    expect(first.listeners("request")).toEqual([before[0]]);
    expect(second.listeners("request")).toEqual([before[1]]);
    expect([first.listenerCount("upgrade"), second.listenerCount("upgrade")]).toEqual([0, 0]);
  });

  it("closes each HTTP server it was attached to, and the connections of each", async () => {
    const servers = [createServer(), createServer()];
    for (const httpServer of servers) await once(httpServer.listen(0, "127.0.0.1"), "listening");
    const io = new Server();
    const engines = servers.map((httpServer) => io.attach(httpServer).engine);
    const closed = engines.map((engine) => vi.spyOn(engine, "close"));
    await io.close();
    expect(servers.map(({ listening }) => listening)).toEqual([false, false]);
    for (const close of closed) expect(close).toHaveBeenCalled();
  });
});
