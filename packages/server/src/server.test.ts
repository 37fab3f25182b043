import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { FakeEngine } from "./fake-engine.js";
import * as door from "./index.js";
import { Adapter, Namespace, Server, SessionAwareAdapter, Socket } from "./index.js";

describe("a server", () => {
  it("may be made with nothing, with options, or for an HTTP server with options", () => {
    expect(new Server().path()).toBe("/socket.io");
    expect(new Server({ path: "/x/" }).path()).toBe("/x");
    const httpServer = createServer();
    const io = new Server(httpServer, { path: "/y", serveClient: false });
    expect(io.httpServer).toBe(httpServer);
    expect(io.path()).toBe("/y");
    expect(io.serveClient()).toBe(false);
    expect(new Server(undefined, { path: "/z" }).path()).toBe("/z");
  });

  it("refuses a request listener, telling what it wants", () => {
    const app = (): void => {};
    expect(() => new Server(app as never)).toThrow(
      "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.",
    );
    expect(() => new Server().attach("no port" as never)).toThrow(TypeError);
  });

  it("lets the options of its constructor win over those of attach", () => {
    const io = new Server({ pingTimeout: 6_000 });
    expect(io.attach(createServer(), { pingTimeout: 1, pingInterval: 24_000 })).toBe(io);
    expect(io.engine.opts).toMatchObject({ pingTimeout: 6_000, pingInterval: 24_000 });
    expect(io.engine.matches("/socket.io/?EIO=4")).toBe(true);
  });

  it("tells and changes its settings", () => {
    const io = new Server();
    expect(io.path("/p/")).toBe(io);
    expect(io.connectTimeout(5).connectTimeout()).toBe(5);
    expect(io.serveClient(false).serveClient()).toBe(false);
    expect([io.path(), io.adapter()]).toEqual(["/p", Adapter]);
    expect(new Server({ connectionStateRecovery: {} }).adapter()).toBe(SessionAwareAdapter);
  });

  it("completes the options of recovery and leaves those given untouched", () => {
    const options = { connectionStateRecovery: { skipMiddlewares: false } };
    expect(new Server(options).opts.connectionStateRecovery).toEqual({
      maxDisconnectionDuration: 120_000,
      skipMiddlewares: false,
      maxStoredBytes: 64 * 1024 * 1024,
      maxStoredPackets: 10_000,
      maxStoredSessions: 10_000,
    });
    expect(options).toEqual({ connectionStateRecovery: { skipMiddlewares: false } });
  });

  it("is an emitter whose methods are those of the main namespace", () => {
    const io = new Server();
    const listener = vi.fn();
    expect(io).toBeInstanceOf(EventEmitter);
    expect(io.on("connection", listener)).toBe(io.sockets);
    expect(io.sockets.listeners("connection")).toEqual([listener]);
    expect(io.listenerCount("connection")).toBe(1);
    expect(io.eventNames()).toEqual(["connection"]);
    io.off("connection", listener);
    expect(io.sockets.listenerCount("connection")).toBe(0);
    expect(io.use((_socket, next) => next())).toBe(io);
    expect(io.sockets._fns).toHaveLength(1);
  });

  it("shows tools what they look for", async () => {
    const engine = new FakeEngine();
    const io = new Server().bind(engine);
    const { sid } = await engine.join();
    const socket = io.sockets.sockets.get(sid)!;
    const inside = io as unknown as Record<string, unknown>;
    expect(inside["eio"]).toBe(io.engine);
    expect(inside["_opts"]).toBe(io.opts);
    expect(io._nsps.get("/")).toBe(io.sockets);
    expect(io.encoder).toBe((io.sockets.adapter as unknown as Record<string, unknown>)["encoder"]);
    expect(io._parser.Encoder).toBeTypeOf("function");
    expect(socket).toBeInstanceOf(EventEmitter);
    expect(socket).toBeInstanceOf(Socket);
    expect(io.sockets).toBeInstanceOf(Namespace);
    expect(socket.server).toBe(io);
    expect(socket.adapter).toBe(io.sockets.adapter);
    expect(socket.client.id).toBe("engine-id-0");
    expect(socket.client.conn).toBe(socket.conn);
    expect([...socket.client.nsps.keys()]).toEqual(["/"]);
    expect([...socket.client.sockets.keys()]).toEqual([sid]);
    expect(socket.conn.transport.name).toBe("websocket");
    expect(socket.conn.protocol).toBe(4);
  });
});

describe("the door of the package", () => {
  it("is callable where CommonJS code requires it", () => {
    const createIo = (door as Record<string, unknown>)["module.exports"] as typeof Server & (() => Server);
    expect(createIo()).toBeInstanceOf(Server);
    expect(Object.keys(createIo)).toEqual([
      "Server",
      "Namespace",
      "Socket",
      "Adapter",
      "SessionAwareAdapter",
      "EventError",
      "contractOf",
      "isAnswering",
      "isSameOrigin",
      "nodeRequest",
      "parse",
      "SERVER_OPTION_NAMES",
      "unknownOption",
      "useContract",
    ]);
    expect(Object.keys(door).toSorted()).toEqual([
      "Adapter",
      "EventError",
      "Namespace",
      "SERVER_OPTION_NAMES",
      "Server",
      "SessionAwareAdapter",
      "Socket",
      "contractOf",
      "isAnswering",
      "isSameOrigin",
      "module.exports",
      "nodeRequest",
      "parse",
      "unknownOption",
      "useContract",
    ]);
  });

  it("gives classes that can be extended", () => {
    class Chat extends Server {
      readonly greeting = "hi";
    }
    const chat = new Chat({ path: "/chat" });
    expect([chat.greeting, chat.path()]).toEqual(["hi", "/chat"]);
  });
});
