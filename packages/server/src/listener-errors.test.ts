import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Server, type ListenerFailure, type ServerOptions, type Socket } from "./index.js";

let logged: MockInstance<typeof console.error>;

beforeEach(() => {
  logged = vi.spyOn(console, "error").mockReturnValue();
});

afterEach(() => {
  logged.mockRestore();
});

async function pair(
  options?: Partial<ServerOptions>,
): Promise<{ io: Server; socket: Socket; connection: FakeConnection }> {
  const engine = new FakeEngine();
  const io = new Server(options).bind(engine);
  const { connection, sid } = await engine.join();
  return { io, socket: io.sockets.sockets.get(sid)!, connection };
}

function fail(): never {
  throw new Error("broken");
}

describe("a listener that fails", () => {
  it("is logged once, answers nothing and harms nobody", async () => {
    const { socket, connection } = await pair();
    const next = vi.fn();
    socket.on("x", fail);
    socket.on("x", next);
    connection.receive('21["x"]');
    expect(logged.mock.calls).toEqual([['[plugboard] a listener of "x" failed:', new Error("broken")]]);
    expect(next).toHaveBeenCalledTimes(1);
    expect(connection.take()).toEqual([]);
    expect(connection.readyState).toBe("open");
    expect(socket.connected).toBe(true);
  });

  it("may fail later, by a rejected promise", async () => {
    const { socket, connection } = await pair();
    socket.on("x", async () => fail());
    connection.receive('2["x"]');
    await turn();
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it("is reported with socket, event, arguments and acknowledgement to whom it may concern", async () => {
    const { io, socket, connection } = await pair();
    const failures: ListenerFailure[] = [];
    io.onListenerError = (failure) => failures.push(failure);
    socket.on("x", fail);
    connection.receive('21["x",1,2]', '2["x"]');
    expect(failures).toEqual([
      { socket, event: "x", args: [1, 2], ack: expect.any(Function), error: new Error("broken") },
      { socket, event: "x", args: [], ack: undefined, error: new Error("broken") },
    ]);
    failures[0]!.ack!("answered after all");
    expect(connection.take()).toEqual(['31["answered after all"]']);
    expect(logged).not.toHaveBeenCalled();
    io.onListenerError = undefined;
    connection.receive('2["x"]');
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it("is logged together with the report that failed", async () => {
    const { socket, connection } = await pair({ onListenerError: fail });
    socket.on("x", fail);
    connection.receive('2["x"]');
    expect(logged).toHaveBeenCalledTimes(2);
  });

  it.each<[string, (given: { io: Server; socket: Socket; connection: FakeConnection }) => void]>([
    ["disconnecting", ({ socket, connection }) => (socket.on("disconnecting", fail), connection.drop())],
    ["disconnect", ({ socket, connection }) => (socket.on("disconnect", fail), connection.drop())],
    ["error", ({ socket, connection }) => (socket.on("error", fail), connection.receive("nonsense"))],
    ["the catch-all kind", ({ socket, connection }) => (socket.onAny(fail), connection.receive('2["x"]'))],
    ["the outgoing kind", ({ socket }) => void socket.onAnyOutgoing(fail).emit("x")],
    ["an acknowledgement", ({ socket, connection }) => (socket.emit("x", fail), connection.receive("30[]"))],
    ["a new namespace", ({ io }) => (io.on("new_namespace", fail), void io.of("/new"))],
    ["another server", ({ io }) => (io.on("x", fail), io.sockets._onServerSideEmit(["x"]))],
    ["a room", ({ io, socket }) => (io.sockets.adapter.on("join-room", fail), void socket.join("r"))],
  ])("is contained wherever it listens: %s", async (_what, act) => {
    const given = await pair();
    act(given);
    expect(logged).toHaveBeenCalledTimes(1);
    expect(given.socket.connected).toBe(given.connection.readyState === "open");
  });

  it("is contained when it listens to connections, and the socket lives", async () => {
    const engine = new FakeEngine();
    const io = new Server().bind(engine);
    const failures: ListenerFailure[] = [];
    io.onListenerError = (failure) => failures.push(failure);
    io.on("connection", fail);
    io.on("connection", async () => fail());
    const { sid } = await engine.join();
    const socket = io.sockets.sockets.get(sid);
    expect(failures.map(({ event, socket: about }) => [event, about])).toEqual(Array(2).fill(["connection", socket]));
  });

  it("is contained when it waits for the answers to a broadcast", async () => {
    const { io, connection } = await pair();
    io.timeout(1_000).emit("q", fail);
    await turn();
    connection.receive("30[]");
    io.timeout(1_000).to("nobody").emit("q", fail);
    await turn();
    expect(logged).toHaveBeenCalledTimes(2);
  });

  it("may be no listener: who works beside the server reports likewise, and ends no process", async () => {
    const { io, socket } = await pair({ compat: true });
    const error = new Error("broken");
    io.reportFailure("store", error, socket);
    expect(logged.mock.calls).toEqual([['[plugboard] a listener of "store" failed:', error]]);
    const failures: ListenerFailure[] = [];
    io.onListenerError = (failure) => failures.push(failure);
    io.reportFailure("store", error, socket, [1]);
    expect(failures).toEqual([{ socket, event: "store", args: [1], ack: undefined, error }]);
  });

  it("brings the process down with the option compat, as in the reference", async () => {
    const { socket, connection } = await pair({ compat: true });
    const uncaught = vi.fn();
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", uncaught);
    socket.on("x", fail);
    connection.receive('2["x"]');
    await turn();
    process.removeAllListeners("uncaughtException");
    for (const listener of others) process.on("uncaughtException", listener);
    expect(uncaught.mock.calls[0]?.[0]).toEqual(new Error("broken"));
    expect(logged).not.toHaveBeenCalled();
  });
});

describe("an adapter that fails", () => {
  it("to join the room of a socket is reported, and the process lives", async () => {
    const failures: ListenerFailure[] = [];
    const { io, connection } = await pair({ onListenerError: (failure) => failures.push(failure) });
    io.sockets.adapter.addAll = () => Promise.reject(new Error("database away"));
    connection.receive("1");
    connection.receive("0");
    await turn();
    await turn();
    expect(failures.map(({ event, error }) => [event, (error as Error).message])).toEqual([["join", "database away"]]);
    expect(io.sockets.sockets.size).toBe(1);
  });
});

describe("an error of a middleware", () => {
  it.each([
    ["a BigInt", { amount: 1n }],
    ["a circle", Object.assign({}, { self: undefined as unknown })],
  ])("whose data holds %s reaches the client without it", async (_what, data) => {
    if ("self" in data) data.self = data;
    const failures: ListenerFailure[] = [];
    const engine = new FakeEngine();
    const io = new Server({ onListenerError: (failure) => failures.push(failure) }).bind(engine);
    io.use((_socket, next) => next(Object.assign(new Error("no"), { data })));
    const connection = engine.open();
    connection.receive("0");
    await turn();
    await turn();
    expect(connection.take()).toEqual(['4{"message":"no"}']);
    expect(failures).toMatchObject([{ event: "connect_error" }]);
  });
});
