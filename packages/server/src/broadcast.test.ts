import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { BroadcastOptions } from "./adapter-contract.js";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Adapter, Server, type Socket } from "./index.js";

let io: Server;
let engine: FakeEngine;
let sockets: Socket[];
let connections: FakeConnection[];

/** Three clients: the first in room a, the second in a and b, the third in none. */
beforeEach(async () => {
  engine = new FakeEngine();
  io = new Server().bind(engine);
  const joined = [await engine.join(), await engine.join(), await engine.join()];
  sockets = joined.map(({ sid }) => io.sockets.sockets.get(sid)!);
  connections = joined.map(({ connection }) => connection);
  void sockets[0]!.join("a");
  void sockets[1]!.join(["a", "b"]);
});

afterEach(() => {
  vi.useRealTimers();
});

/** How often each client got something since the last look. */
function counts(): number[] {
  return connections.map((connection) => connection.take().length);
}

describe("a broadcast", () => {
  it("reaches everybody, with one text for all", () => {
    expect(io.emit("hello", 1)).toBe(true);
    expect(connections.map((connection) => connection.take())).toEqual(Array(3).fill(['2["hello",1]']));
  });

  it("reaches the members of a room once, whatever rooms they share", () => {
    io.to("a").emit("x");
    expect(counts()).toEqual([1, 1, 0]);
    io.in("a").in("b").emit("x");
    expect(counts()).toEqual([1, 1, 0]);
    io.to(["b", "nobody"]).emit("x");
    expect(counts()).toEqual([0, 1, 0]);
    io.to("nobody").emit("x");
    expect(counts()).toEqual([0, 0, 0]);
  });

  it("spares the members of rooms that are left out", () => {
    io.except("b").emit("x");
    expect(counts()).toEqual([1, 0, 1]);
    io.to("a").except(["b", sockets[0]!.id]).emit("x");
    expect(counts()).toEqual([0, 0, 0]);
  });

  it("of a socket spares the socket itself", () => {
    sockets[0]!.broadcast.emit("x");
    expect(counts()).toEqual([0, 1, 1]);
    sockets[0]!.to("a").emit("x");
    expect(counts()).toEqual([0, 1, 0]);
    sockets[0]!.except("b").emit("x");
    expect(counts()).toEqual([0, 0, 1]);
    sockets[0]!.broadcast.except(sockets[1]!.id).emit("x");
    expect(counts()).toEqual([0, 0, 1]);
  });

  it("takes a room name as it is, without turning it into a string", () => {
    void sockets[0]!.join(42 as never);
    io.to("42").emit("x");
    expect(counts()).toEqual([0, 0, 0]);
    io.to(42 as never).emit("x");
    expect(counts()).toEqual([1, 0, 0]);
  });

  it("that is volatile misses those who cannot take it now", () => {
    connections[0]!.transport.writable = false;
    io.volatile.emit("x", Buffer.from([1]));
    expect(counts()).toEqual([0, 2, 2]);
  });

  it("shares one frame among all targets, in the form third parties know too", () => {
    connections.forEach((connection) => connection.take());
    io.compress(false).emit("123");
    const options = connections.map(({ written }) => written[0]!.options!);
    expect(new Set(options).size).toBe(1);
    expect(options[0]).toMatchObject({ preEncoded: true, compress: false });
    expect(options[0]!.prepared).toBeDefined();
    expect(options[0]!.wsPreEncodedFrame!.map((part) => Buffer.from(part).toString("latin1"))).toEqual([
      "\x81\x09",
      '42["123"]',
    ]);
    expect(options[0]!.wsPreEncodedFrame).toBe(options[0]!.wsPreEncodedFrame);
  });

  it("carries no frame when it is binary", () => {
    connections[0]!.take();
    io.emit("x", Buffer.from([1]));
    expect(connections[0]!.written.map(({ options }) => options!.wsPreEncodedFrame)).toEqual([undefined, undefined]);
  });

  it("sends message events with send and write", () => {
    expect(io.send("a")).toBe(io);
    expect(io.of("/").write("b")).toBe(io.sockets);
    expect(connections[0]!.take()).toEqual(['2["message","a"]', '2["message","b"]']);
  });
});

describe("a broadcast operator", () => {
  it("never changes, and takes the flags of a socket along", () => {
    const operator = sockets[0]!.local.compress(false) as unknown as { flags: object };
    expect(operator.flags).toEqual({ local: true, compress: false });
    const base = io.to("a");
    expect(base.to("b")).not.toBe(base);
    base.except("a");
    base.emit("x");
    expect(counts()).toEqual([1, 1, 0]);
    sockets[0]!.volatile.broadcast.emit("x");
    expect((sockets[0] as unknown as { flags: object }).flags).toEqual({});
  });

  it("finds, moves and disconnects sockets", async () => {
    expect(await io.in("a").fetchSockets()).toEqual(sockets.slice(0, 2));
    expect(await io.allSockets()).toEqual(new Set(sockets.map(({ id }) => id)));
    expect(await io.in("b").allSockets()).toEqual(new Set([sockets[1]!.id]));
    io.in("a").socketsJoin(["c", "d"]);
    io.local.socketsJoin("e");
    io.socketsLeave("e");
    io.socketsLeave("b");
    expect(sockets.map(({ rooms }) => [...rooms].slice(1))).toEqual([["a", "c", "d"], ["a", "c", "d"], []]);
    counts();
    io.in("a").disconnectSockets();
    expect(connections.map((connection) => connection.take())).toEqual([["1"], ["1"], []]);
    io.disconnectSockets(true);
    expect(connections.map(({ readyState }) => readyState)).toEqual(["open", "open", "closed"]);
  });

  it("wraps what an adapter found on other servers", async () => {
    const calls: unknown[] = [];
    class Remote extends Adapter {
      override fetchSockets(): Promise<unknown[]> {
        return Promise.resolve([{ id: "far", handshake: { url: "/" }, rooms: ["far", "r"], data: { a: 1 } }]);
      }
      override addSockets(options: BroadcastOptions, rooms: string[]): void {
        calls.push(["join", [...options.rooms], rooms]);
      }
      override delSockets(options: BroadcastOptions, rooms: string[]): void {
        calls.push(["leave", [...options.rooms], rooms]);
      }
      override disconnectSockets(options: BroadcastOptions, close: boolean): void {
        calls.push(["disconnect", [...options.rooms], close]);
      }
      override broadcast(packet: { data: unknown }, options: BroadcastOptions): void {
        calls.push(["emit", [...options.rooms], packet.data]);
      }
      override broadcastWithAck(
        _packet: unknown,
        _options: BroadcastOptions,
        onCount: (count: number) => void,
        ack: (answer: unknown) => void,
      ): void {
        onCount(1);
        ack("answer");
      }
    }
    io.adapter(Remote);
    const [socket] = await io.fetchSockets();
    expect(socket).toMatchObject({ id: "far", rooms: new Set(["far", "r"]), data: { a: 1 } });
    socket!.join("x");
    socket!.leave("y");
    expect(socket!.disconnect(true)).toBe(socket);
    socket!.emit("hi", 1);
    expect(calls).toEqual([
      ["join", ["far"], ["x"]],
      ["leave", ["far"], ["y"]],
      ["disconnect", ["far"], true],
      ["emit", ["far"], ["hi", 1]],
    ]);
    await expect(socket!.timeout(100).emitWithAck("q")).resolves.toBe("answer");
  });
});

describe("a broadcast that asks for acknowledgements", () => {
  const ids = (): number[] =>
    connections.map((connection) => Number(/^2(\d+)/.exec(String(connection.take()[0]))?.[1]));

  it("gathers the first argument of each answer", async () => {
    const promise = io.timeout(1_000).emitWithAck("q", 1);
    const [id] = ids();
    connections[1]!.receive(`3${id}[2,"more"]`);
    connections[0]!.receive(`3${id}[1]`);
    connections[2]!.receive(`3${id}`);
    await expect(promise).resolves.toEqual([2, 1, undefined]);
    expect(sockets.map(({ acks }) => acks.size)).toEqual([0, 0, 0]);
  });

  it("ends with an error and what came in time, and forgets the rest", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const ack = vi.fn();
    io.timeout(50).emit("q", ack);
    const promise = io.timeout(50).emitWithAck("q");
    const [first] = ids();
    await turn();
    connections[0]!.receive(`3${first}["a"]`);
    vi.advanceTimersByTime(50);
    expect(ack.mock.calls).toEqual([[new Error("operation has timed out"), ["a"]]]);
    await expect(promise).rejects.toMatchObject({ message: "operation has timed out", responses: [] });
    expect(sockets.map(({ acks }) => acks.size)).toEqual([0, 0, 0]);
    connections[1]!.receive(`3${first}["late"]`);
    expect(ack).toHaveBeenCalledTimes(1);
  });

  it("is over at once when there is nobody to ask", async () => {
    await expect(io.timeout(1_000).to("nobody").emitWithAck("q")).resolves.toEqual([]);
  });

  it("ends with the error of an adapter that cannot count the servers", async () => {
    vi.spyOn(io.sockets.adapter, "serverCount").mockRejectedValue(new Error("down"));
    await expect(io.timeout(1_000).emitWithAck("q")).rejects.toMatchObject({ message: "down", responses: [] });
  });

  it("without a timeout fails at once, as in the reference", async () => {
    const [error, answers] = await new Promise<unknown[]>((resolve) => {
      io.emit("q", (...args: unknown[]) => resolve(args));
    });
    expect(error).toEqual(new Error("operation has timed out"));
    expect(answers).toEqual([]);
  });

  it("shares its ids with the events of the sockets", () => {
    io.timeout(1_000).emit("q", () => {});
    sockets[0]!.emit("q", () => {});
    expect(connections[0]!.take().slice(-2)).toEqual(['20["q"]', '21["q"]']);
  });
});

describe("an event for the other servers", () => {
  it("goes to the adapter, and comes from it", () => {
    const adapter = io.sockets.adapter;
    const sent = vi.spyOn(adapter, "serverSideEmit").mockReturnValue();
    expect(io.serverSideEmit("hello", 1)).toBe(true);
    expect(sent).toHaveBeenCalledWith(["hello", 1]);
    const heard = vi.fn();
    io.on("hello", heard);
    io.sockets._onServerSideEmit(["hello", 1, "ack"]);
    expect(heard).toHaveBeenCalledWith(1, "ack");
  });

  it("resolves with the answers, or rejects with those that came", async () => {
    const answers: unknown[] = [null, [1, 2]];
    vi.spyOn(io.sockets.adapter, "serverSideEmit").mockImplementation((packet) => {
      (packet.at(-1) as (...args: unknown[]) => void)(...answers);
    });
    await expect(io.serverSideEmitWithAck("q")).resolves.toEqual([1, 2]);
    answers[0] = new Error("late");
    await expect(io.serverSideEmitWithAck("q")).rejects.toMatchObject({ message: "late", responses: [1, 2] });
  });

  it.each(["connect", "connection", "new_namespace"])("must not be called %s", (name) => {
    expect(() => io.serverSideEmit(name)).toThrow(`"${name}" is a reserved event name`);
  });

  it("only warns with the adapter in memory", () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    io.serverSideEmit("x");
    expect(warn).toHaveBeenCalledWith("this adapter does not support the serverSideEmit() functionality");
    warn.mockRestore();
  });
});
