import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Server, type ServerOptions, type Socket } from "./index.js";

async function pair(
  options?: Partial<ServerOptions>,
): Promise<{ io: Server; socket: Socket; connection: FakeConnection }> {
  const engine = new FakeEngine();
  const io = new Server(options).bind(engine);
  const { connection, sid } = await engine.join();
  return { io, socket: io.sockets.sockets.get(sid)!, connection };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("an event of the client", () => {
  it("reaches its listeners in the turn in which it arrives", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("hello", heard);
    connection.receive('2["hello",1,{"a":null}]', '2["hello"]', '2["other"]');
    expect(heard.mock.calls).toEqual([[1, { a: null }], []]);
  });

  it("comes with its attachments", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("file", heard);
    connection.receive('51-["file",{"_placeholder":true,"num":0}]', Buffer.from([1, 2]));
    expect(heard).toHaveBeenCalledWith(Buffer.from([1, 2]));
  });

  it("may have a number for a name, and any number of arguments", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("5", heard);
    connection.receive("2[5,1,2,3,4,5,6]");
    expect(heard).toHaveBeenCalledWith(1, 2, 3, 4, 5, 6);
  });

  it("without a name is dispatched as nothing", async () => {
    const { socket, connection } = await pair();
    const any = vi.fn();
    socket.onAny(any);
    connection.receive("2", "21");
    expect(any).not.toHaveBeenCalled();
    expect(connection.readyState).toBe("open");
  });

  it("called error reaches its listeners, and nobody if there are none", async () => {
    const { socket, connection } = await pair();
    connection.receive('2["error","x"]');
    const heard = vi.fn();
    socket.on("error", heard as (error: Error) => void);
    connection.receive('2["error","x"]');
    expect(heard).toHaveBeenCalledWith("x");
  });

  it("honours once, and listeners that change the list", async () => {
    const { socket, connection } = await pair();
    const log: string[] = [];
    const second = (): unknown => log.push("second");
    socket.once("x", () => {
      log.push("once");
      socket.off("x", second);
    });
    socket.on("x", second);
    connection.receive('2["x"]', '2["x"]');
    expect(log).toEqual(["once", "second"]);
    expect(socket.listenerCount("x")).toBe(0);
  });

  it("is ignored after the socket was disconnected by the server", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("x", heard);
    socket.disconnect();
    connection.receive('2["x"]');
    expect(heard).not.toHaveBeenCalled();
  });
});

describe("an acknowledgement by the server", () => {
  it("is sent once, with the id of the event", async () => {
    const { socket, connection } = await pair();
    socket.on("sum", (a: number, b: number, ack: (sum: number) => void) => {
      ack(a + b);
      ack(0);
    });
    connection.receive('2456["sum",1,2]');
    expect(connection.take()).toEqual(["3456[3]"]);
  });

  it("may be empty or binary", async () => {
    const { socket, connection } = await pair();
    socket.on("x", (ack: (...args: unknown[]) => void) => ack());
    socket.on("y", (ack: (...args: unknown[]) => void) => ack("bar", Buffer.from([1]), Buffer.from([2])));
    connection.receive('212["x"]', '2789["y"]');
    expect(connection.take()).toEqual([
      "312[]",
      '62-789["bar",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      Buffer.from([1]),
      Buffer.from([2]),
    ]);
  });

  it("is dropped once the socket is gone", async () => {
    const { socket, connection } = await pair();
    let ack = (): void => {};
    socket.on("x", (given: () => void) => {
      ack = given;
    });
    connection.receive('21["x"]');
    socket.disconnect();
    connection.take();
    ack();
    expect(connection.take()).toEqual([]);
  });
});

describe("an event of the server", () => {
  it("goes out with its arguments", async () => {
    const { socket, connection } = await pair();
    expect(socket.emit("hello", "world", undefined, { b: Buffer.from([1]) })).toBe(true);
    expect(connection.take()).toEqual([
      '51-["hello","world",null,{"b":{"_placeholder":true,"num":0}}]',
      Buffer.from([1]),
    ]);
    expect(socket.send("a")).toBe(socket);
    socket.write("b");
    expect(connection.take()).toEqual(['2["message","a"]', '2["message","b"]']);
  });

  it.each(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])(
    "must not be called %s",
    async (name) => {
      const { io, socket } = await pair();
      const message = `"${name}" is a reserved event name`;
      expect(() => socket.emit(name)).toThrow(message);
      expect(() => io.emit(name)).toThrow(message);
      expect(() => io.to("a").emit(name)).toThrow(message);
      expect(() => socket.broadcast.emit(name)).toThrow(message);
    },
  );

  it("that cannot be encoded throws at once and leaves nothing behind", async () => {
    const { io, socket, connection } = await pair();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(() => socket.emit("x", circular)).toThrow();
    expect(() => socket.emit("x", 1n)).toThrow(TypeError);
    expect(() => socket.timeout(10).emit("x", 1n, () => {})).toThrow(TypeError);
    expect(() => io.timeout(10).emit("x", 1n, () => {})).toThrow(TypeError);
    expect(socket.acks.size).toBe(0);
    socket.emit("fine");
    expect(connection.take()).toEqual(['2["fine"]']);
  });

  it("is compressed unless told otherwise, just once", async () => {
    const { socket, connection } = await pair();
    connection.take();
    socket.emit("a");
    socket.compress(false).emit("b");
    socket.emit("c");
    expect(connection.written.map(({ options }) => options?.compress)).toEqual([true, false, true]);
  });

  it("that is volatile is dropped as a whole when the transport is busy", async () => {
    const { socket, connection } = await pair();
    connection.transport.writable = false;
    socket.volatile.emit("a", Buffer.from([1]));
    socket.emit("b");
    connection.transport.writable = true;
    socket.volatile.emit("c", Buffer.from([1]));
    expect(connection.take()).toEqual(['2["b"]', '51-["c",{"_placeholder":true,"num":0}]', Buffer.from([1])]);
  });

  it("goes nowhere after the socket is gone, though it seems sent", async () => {
    const { socket, connection } = await pair();
    socket.disconnect();
    connection.take();
    expect(socket.emit("x", () => {})).toBe(true);
    expect(connection.take()).toEqual([]);
    expect(socket.acks.size).toBe(0);
  });
});

describe("an acknowledgement by the client", () => {
  it("reaches the callback with all its arguments", async () => {
    const { socket, connection } = await pair();
    const ack = vi.fn();
    socket.emit("a", 1, ack);
    socket.emit("b", ack);
    expect(connection.take()).toEqual(['20["a",1]', '21["b"]']);
    connection.receive("31[1,2]", "30[]", "30[]", "399[]");
    expect(ack.mock.calls).toEqual([[1, 2], []]);
    expect(socket.acks.size).toBe(0);
  });

  it("without payload calls the callback without arguments", async () => {
    const { socket, connection } = await pair();
    const ack = vi.fn();
    socket.emit("a", ack);
    connection.receive("30");
    expect(ack.mock.calls).toEqual([[]]);
  });

  it("resolves a promise with its first argument", async () => {
    const { socket, connection } = await pair();
    const answer = socket.emitWithAck("a");
    connection.receive('30["x","y"]');
    await expect(answer).resolves.toBe("x");
    const inTime = socket.timeout(1_000).emitWithAck("a");
    connection.receive('31["x","y"]');
    await expect(inTime).resolves.toBe("x");
  });

  it("that does not come in time is an error, and ignored when it comes late", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { socket, connection } = await pair();
    const ack = vi.fn();
    socket.timeout(50).emit("a", ack);
    const promise = socket.timeout(50).emitWithAck("b");
    vi.advanceTimersByTime(50);
    connection.receive("30[1]", "31[1]");
    expect(ack.mock.calls).toEqual([[new Error("operation has timed out")]]);
    await expect(promise).rejects.toThrow("operation has timed out");
    expect(socket.acks.size).toBe(0);
  });

  it("that comes in time calls back once, without an error", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { socket, connection } = await pair();
    const ack = vi.fn();
    socket.timeout(50).emit("a", ack);
    connection.receive("30[1,2]");
    vi.advanceTimersByTime(50);
    expect(ack.mock.calls).toEqual([[null, 1, 2]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("with a timeout of 0 is an error, even if it comes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { socket, connection } = await pair();
    const ack = vi.fn();
    socket.timeout(0).emit("a", ack);
    vi.advanceTimersByTime(1);
    connection.receive("30[1]");
    expect(ack.mock.calls).toEqual([[expect.any(Error)]]);
  });

  it("of a socket that is gone is forgotten, but a timeout is still told, once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { socket, connection } = await pair();
    const silent = vi.fn();
    const ack = vi.fn();
    socket.emit("a", silent);
    socket.timeout(50).emit("b", ack);
    connection.drop();
    expect(socket.acks.size).toBe(0);
    vi.advanceTimersByTime(50);
    expect(ack.mock.calls).toEqual([[expect.any(Error)]]);
    expect(silent).not.toHaveBeenCalled();
  });
});

describe("middlewares of a socket", () => {
  it("run in order and may rewrite the event", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    const seen: unknown[] = [];
    socket.use((event, next) => {
      seen.push([...event]);
      event[0] = "renamed";
      event[1] = 2;
      next();
    });
    socket.use((event, next) => {
      seen.push([...event]);
      next();
    });
    socket.on("renamed", heard);
    connection.receive('21["x",1]');
    expect(seen).toEqual([
      ["x", 1, expect.any(Function)],
      ["renamed", 2, expect.any(Function)],
    ]);
    expect(heard).toHaveBeenCalledWith(2, expect.any(Function));
  });

  it("refuse with an error that stays on the server", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    const errors: unknown[] = [];
    socket.on("x", heard);
    socket.use(([event], next) => next(event === "x" ? new Error("refused") : undefined));
    connection.receive('2["x"]');
    socket.on("error", (error) => errors.push(error.message));
    connection.receive('2["x"]');
    expect(heard).not.toHaveBeenCalled();
    expect(errors).toEqual(["refused"]);
    expect(connection.take()).toEqual([]);
    expect(connection.readyState).toBe("open");
  });

  it("refuse by throwing and by rejecting just the same", async () => {
    const { socket, connection } = await pair();
    const errors: unknown[] = [];
    socket.on("error", (error) => errors.push(error.message));
    socket.use(([event], next) => {
      if (event === "x") throw new Error("thrown");
      next();
    });
    socket.use(async () => {
      throw new Error("rejected");
    });
    connection.receive('2["x"]', '2["y"]');
    await turn();
    expect(errors).toEqual(["thrown", "rejected"]);
  });

  it("deliver nothing once the socket is gone", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    let proceed = (): void => {};
    socket.on("x", heard);
    socket.use((_event, next) => {
      proceed = next;
    });
    connection.receive('2["x"]');
    connection.drop();
    proceed();
    await turn();
    expect(heard).not.toHaveBeenCalled();
  });
});

describe("catch-all listeners", () => {
  it("hear each event of the client before middlewares and listeners do", async () => {
    const { socket, connection } = await pair();
    const log: unknown[] = [];
    socket.on("x", () => log.push("listener"));
    socket.use((_event, next) => {
      log.push("middleware");
      next();
    });
    socket.onAny((...args) => log.push(["second", ...args]));
    socket.prependAny((...args) => log.push(["first", ...args.slice(0, 2)]));
    connection.receive('21["x",1]');
    expect(log).toEqual([["first", "x", 1], ["second", "x", 1, expect.any(Function)], "middleware", "listener"]);
  });

  it("can be removed, one or all, even while they run", async () => {
    const { socket, connection } = await pair();
    const first = vi.fn(() => void socket.offAny(first));
    const second = vi.fn();
    socket.onAny(first).onAny(second);
    connection.receive('2["x"]', '2["x"]');
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 2]);
    expect(socket.listenersAny()).toEqual([second]);
    expect(socket.offAny().listenersAny()).toEqual([]);
  });

  it("hear what is sent to the client, in the original form, but no acknowledgements", async () => {
    const { io, socket, connection } = await pair();
    const log: unknown[] = [];
    const first = (...args: unknown[]): unknown => log.push(["first", ...args]);
    socket.onAnyOutgoing((...args) => log.push(args));
    socket.prependAnyOutgoing(first);
    socket.emit("a", Buffer.from([1]), () => {});
    socket.offAnyOutgoing(first);
    io.emit("b", Buffer.from([2]));
    socket.on("x", (ack: () => void) => ack());
    connection.receive('21["x"]');
    expect(log).toEqual([
      ["first", "a", Buffer.from([1])],
      ["a", Buffer.from([1])],
      ["b", Buffer.from([2])],
    ]);
    expect(socket.listenersAnyOutgoing()).toHaveLength(1);
    expect(socket.offAnyOutgoing().listenersAnyOutgoing()).toEqual([]);
  });
});

describe("a custom parser", () => {
  it("is used both ways and may give one binary chunk per packet", async () => {
    const decoders: unknown[] = [];
    class Encoder {
      encode(packet: unknown): Uint8Array[] {
        return [Buffer.from(JSON.stringify(packet))];
      }
    }
    class Decoder {
      listener: ((packet: unknown) => void) | undefined;
      constructor() {
        decoders.push(this);
      }
      on(_event: "decoded", listener: (packet: unknown) => void): void {
        this.listener = listener;
      }
      removeListener(): void {}
      add(chunk: Uint8Array): void {
        this.listener?.(JSON.parse(chunk.toString()));
      }
      destroy(): void {}
    }
    const engine = new FakeEngine();
    const io = new Server({ parser: { Encoder, Decoder } }).bind(engine);
    io.on("connection", (socket) => socket.on("x", (value: unknown) => socket.emit("y", value)));
    const connection = engine.open();
    connection.receive(Buffer.from('{"type":0,"nsp":"/"}'));
    await turn();
    connection.take();
    connection.receive(Buffer.from('{"type":2,"nsp":"/","data":["x",1]}'));
    io.emit("all");
    const sent = connection.take().map((chunk) => JSON.parse(chunk.toString()) as { data: unknown });
    expect(sent.map(({ data }) => data)).toEqual([["y", 1], ["all"]]);
    expect(decoders).toHaveLength(1);
  });
});
