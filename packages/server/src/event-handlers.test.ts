import { afterEach, describe, expect, it, vi } from "vitest";
import { EventError } from "@plugboard/contract";
import { z } from "zod";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Server, type EventContext, type ListenerFailure, type ServerOptions, type Socket } from "./index.js";

interface Served {
  readonly io: Server;
  readonly engine: FakeEngine;
  readonly failures: ListenerFailure[];
}

function serve(options: Partial<ServerOptions> = {}): Served {
  const engine = new FakeEngine();
  const failures: ListenerFailure[] = [];
  const io = new Server({ onListenerError: (failure) => failures.push(failure), ...options }).bind(engine);
  return { io, engine, failures };
}

async function pair(
  options?: Partial<ServerOptions>,
): Promise<Served & { socket: Socket; connection: FakeConnection }> {
  const served = serve(options);
  const { connection, sid } = await served.engine.join();
  connection.take();
  return { ...served, socket: served.io.sockets.sockets.get(sid)!, connection };
}

/** What the client gets for an event that asks for an answer, as `43<id>[...]`. */
async function ask(connection: FakeConnection, text: string): Promise<unknown[]> {
  connection.receive(text);
  await turn();
  return connection.take().map(String);
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the handler of an event", () => {
  it("ends no process when it fails, with the option compat either: the client is answered", async () => {
    const { socket, connection, failures } = await pair({ compat: true });
    const uncaught = vi.fn();
    process.on("uncaughtException", uncaught);
    socket.handle("x", () => {
      throw new Error("broken");
    });
    const [answer] = await ask(connection, '21["x",1]');
    process.off("uncaughtException", uncaught);
    expect(answer).toContain("SIO_INTERNAL_ERROR");
    expect(failures).toEqual([{ socket, event: "x", args: [1], ack: undefined, error: new Error("broken") }]);
    expect(uncaught).not.toHaveBeenCalled();
  });

  it("answers with what it returns, in the turn in which the event comes", async () => {
    const { socket, connection } = await pair();
    socket.handle("add", ({ a, b }) => ({ sum: a + b }));
    connection.receive('21["add",{"a":1,"b":2}]');
    expect(connection.take()).toEqual(['31[{"sum":3}]']);
  });

  it("answers with what its promise resolves with", async () => {
    const { socket, connection } = await pair();
    socket.handle("later", async (name) => `hello ${name}`);
    expect(await ask(connection, '21["later","x"]')).toEqual(['31["hello x"]']);
  });

  it("answers when it returns nothing", async () => {
    const { socket, connection } = await pair();
    socket.handle("void", () => {});
    socket.handle("later void", async () => {});
    expect(await ask(connection, '21["void"]')).toEqual(["31[]"]);
    expect(await ask(connection, '22["later void"]')).toEqual(["32[]"]);
  });

  it("gets the first argument and the context, however many arguments the client sends", async () => {
    const { socket, connection } = await pair();
    const calls: { payload: unknown; context: EventContext }[] = [];
    socket.handle("x", (...received) => {
      expect(received).toHaveLength(2);
      calls.push({ payload: received[0], context: received[1] });
    });
    connection.receive('2["x"]', '2["x",1,2,3]', '21["x",1,2]');
    expect(calls.map(({ payload }) => payload)).toEqual([undefined, 1, 1]);
    expect(calls.map(({ context }) => context)).toEqual([
      { socket, event: "x", args: [], wantsAck: false },
      { socket, event: "x", args: [1, 2, 3], wantsAck: false },
      { socket, event: "x", args: [1, 2], wantsAck: true },
    ]);
  });

  it("runs beside listeners of the same event, which may answer first", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("x", (_payload, ack) => ack("the listener"));
    socket.on("x", heard);
    socket.handle("x", () => "the handler");
    expect(await ask(connection, '21["x",1]')).toEqual(['31["the listener"]']);
    expect(heard).toHaveBeenCalledOnce();
  });

  it("is one: a second for the same event is refused where it is added", async () => {
    const { io, socket } = await pair();
    socket.handle("x", () => {});
    expect(() => socket.handle("x", () => {})).toThrow(expect.objectContaining({ code: "SIO_DUPLICATE_HANDLER" }));
    io.handle("y", () => {});
    expect(() => io.handle("y", () => {})).toThrow(expect.objectContaining({ code: "SIO_DUPLICATE_HANDLER" }));
  });

  it("has to be a function, and steps functions or schemas", async () => {
    const { socket } = await pair();
    expect(() => socket.handle("x", undefined as never)).toThrow(TypeError);
    expect(() => socket.handle("x", 5 as never, () => {})).toThrow(TypeError);
  });

  it("of a namespace is there for all its sockets, those that come later included; one of a socket comes before it", async () => {
    const { io, engine } = serve();
    io.of("/chat").handle("who", (_payload, { socket }) => socket.id);
    const first = await engine.join("/chat");
    const second = await engine.join("/chat");
    io.of("/chat")
      .sockets.get(second.sid)!
      .handle("who", () => "me");
    expect(await ask(first.connection, '2/chat,1["who"]')).toEqual([`3/chat,1["${first.sid}"]`]);
    expect(await ask(second.connection, '2/chat,1["who"]')).toEqual(['3/chat,1["me"]']);
  });

  it("of a dynamic namespace is there for all its children, those that exist included", async () => {
    const { io, engine } = serve();
    const parent = io.of(/^\/room-\d$/);
    const early = await engine.join("/room-1");
    parent.handle("x", () => "from the parent");
    const late = await engine.join("/room-2");
    expect(await ask(early.connection, '2/room-1,1["x"]')).toEqual(['3/room-1,1["from the parent"]']);
    expect(await ask(late.connection, '2/room-2,1["x"]')).toEqual(['3/room-2,1["from the parent"]']);
  });

  it("of one child of a dynamic namespace is there for that one alone, before those of the parent", async () => {
    const { io, engine } = serve();
    io.of(/^\/room-\d$/).handle("x", () => "from the parent");
    const first = await engine.join("/room-1");
    const second = await engine.join("/room-2");
    io.of("/room-1").handle("x", () => "of the first");
    io.of("/room-2").handle("y", () => "of the second");
    expect(await ask(first.connection, '2/room-1,1["x"]')).toEqual(['3/room-1,1["of the first"]']);
    expect(await ask(second.connection, '2/room-2,1["x"]')).toEqual(['3/room-2,1["from the parent"]']);
    expect(await ask(first.connection, '2/room-1,2["y"]')).toEqual([]);
    expect(await ask(second.connection, '2/room-2,2["y"]')).toEqual(['3/room-2,2["of the second"]']);
  });
});

describe("a handler that fails", () => {
  const INTERNAL = '{"status":"error","code":"SIO_INTERNAL_ERROR","message":"Internal server error"}';

  it.each([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
  ])("because it %s answers that, tells nothing more, and the error is reported once", async (_how, handler) => {
    const { socket, connection, failures } = await pair();
    socket.handle("x", handler);
    expect(await ask(connection, '21["x",5]')).toEqual([`31[${INTERNAL}]`]);
    expect(failures).toEqual([{ socket, event: "x", args: [5], ack: undefined, error: new Error("secret") }]);
  });

  it("with an EventError answers its code, message and data, and nothing is reported", async () => {
    const { socket, connection, failures } = await pair();
    socket.handle("x", async () => {
      throw new EventError("OUT_OF_STOCK", "nothing left", { sku: 1 });
    });
    expect(await ask(connection, '21["x"]')).toEqual([
      '31[{"status":"error","code":"OUT_OF_STOCK","message":"nothing left","data":{"sku":1}}]',
    ]);
    expect(failures).toEqual([]);
  });

  it("tells the listeners of `error` about an EventError when the client waits for no answer", async () => {
    const { socket, connection, failures } = await pair();
    const heard = vi.fn();
    socket.on("error", heard);
    const error = new EventError("OUT_OF_STOCK", "nothing left");
    socket.handle("x", () => {
      throw error;
    });
    connection.receive('2["x"]');
    expect(heard).toHaveBeenCalledExactlyOnceWith(error);
    expect(failures).toEqual([]);
  });

  it("reports any other error when the client waits for no answer", async () => {
    const { socket, connection, failures } = await pair();
    socket.handle("x", () => Promise.reject(new Error("x")));
    await ask(connection, '2["x"]');
    expect(failures).toMatchObject([{ event: "x", error: { message: "x" } }]);
  });

  it("because its answer cannot be sent answers all the same", async () => {
    const { socket, connection, failures } = await pair();
    socket.handle("now", () => 5n);
    socket.handle("later", async () => 5n);
    socket.handle("error", () => {});
    socket.handle("data", () => {
      throw new EventError("X", "x", 5n);
    });
    expect(await ask(connection, '21["now"]')).toEqual([`31[${INTERNAL}]`]);
    expect(await ask(connection, '22["later"]')).toEqual([`32[${INTERNAL}]`]);
    expect(await ask(connection, '23["data"]')).toEqual([`33[${INTERNAL}]`]);
    expect(failures).toHaveLength(3);
  });

  it("because it takes too long is answered for; what it says later is dropped", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { socket, connection, failures } = await pair({ handlerTimeout: 1000 });
    let finish!: (value: string) => void;
    socket.handle("slow", () => new Promise<string>((resolve) => (finish = resolve)));
    connection.receive('21["slow"]');
    await vi.advanceTimersByTimeAsync(999);
    expect(connection.take()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(connection.take()).toEqual([
      '31[{"status":"error","code":"SIO_HANDLER_TIMEOUT","message":"\\"slow\\" took too long"}]',
    ]);
    expect(failures).toMatchObject([{ event: "slow", error: { code: "SIO_HANDLER_TIMEOUT" } }]);
    finish("late");
    await turn();
    expect(connection.take()).toEqual([]);
  });

  it.each([0, Infinity])("may take for ever when the limit is %d, and 30 seconds when none is given", async (limit) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const unlimited = await pair({ handlerTimeout: limit });
    unlimited.socket.handle("slow", () => new Promise(() => {}));
    unlimited.connection.receive('21["slow"]');
    const usual = await pair();
    usual.socket.handle("slow", () => new Promise(() => {}));
    usual.connection.receive('21["slow"]');
    await vi.advanceTimersByTimeAsync(29_999);
    expect(usual.connection.take()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(usual.connection.take()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(unlimited.connection.take()).toEqual([]);
  });

  it("is awaited by a close with a deadline", async () => {
    const { io, socket, connection } = await pair();
    let finish!: () => void;
    const steps: string[] = [];
    socket.handle("slow", async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      steps.push("handler");
    });
    connection.receive('21["slow"]');
    const closed = io.close({ timeoutMs: 10_000 }).then(() => steps.push("closed"));
    await turn();
    finish();
    await closed;
    expect(steps).toEqual(["handler", "closed"]);
    expect(connection.take()).toEqual(["31[]"]);
  });
});

describe("handlers of one socket", () => {
  it("may be 1000 at a time; more events are refused until one ends, and other sockets are not concerned", async () => {
    const { io, engine } = serve({ handlerTimeout: 0 });
    const finish: (() => void)[] = [];
    io.handle("slow", () => new Promise<void>((resolve) => finish.push(resolve)));
    const first = await engine.join();
    const second = await engine.join();
    for (let id = 0; id < 1000; id++) first.connection.receive(`2${id}["slow"]`);
    const refused =
      '31000[{"status":"error","code":"SIO_TOO_MANY_EVENTS","message":"Too many events are being handled"}]';
    expect(await ask(first.connection, '21000["slow"]')).toEqual([refused]);
    expect(finish).toHaveLength(1000);
    second.connection.receive('21["slow"]');
    expect(finish).toHaveLength(1001);
    finish[0]?.();
    await turn();
    expect(first.connection.take()).toEqual(["30[]"]);
    first.connection.receive('21001["slow"]');
    expect(finish).toHaveLength(1002);
  });

  it("hear an event whose name is a number", async () => {
    const { socket, connection } = await pair();
    socket.handle("5", () => "heard");
    expect(await ask(connection, "21[5]")).toEqual(['31["heard"]']);
  });
});

describe("steps before a handler", () => {
  it("run in order, asynchronous ones too, and may change the arguments", async () => {
    const { socket, connection } = await pair();
    socket.handle(
      "x",
      (context) => void context.args.push("first"),
      async (context) => {
        await Promise.resolve();
        context.args[0] = `${String(context.args[0])}!`;
      },
      (payload, { args }) => [payload, args],
    );
    expect(await ask(connection, '21["x","a"]')).toEqual(['31[["a!",["a!","first"]]]']);
  });

  it("refuse the event by what they throw or reject with; the handler does not run", async () => {
    const { socket, connection } = await pair();
    const handler = vi.fn();
    const refuse = (): never => {
      throw new EventError("SIO_FORBIDDEN", "not you");
    };
    socket.handle("now", refuse, handler);
    socket.handle("later", async () => refuse(), handler);
    expect(await ask(connection, '21["now"]')).toEqual([
      '31[{"status":"error","code":"SIO_FORBIDDEN","message":"not you"}]',
    ]);
    expect(await ask(connection, '22["later"]')).toEqual([
      '32[{"status":"error","code":"SIO_FORBIDDEN","message":"not you"}]',
    ]);
    expect(handler).not.toHaveBeenCalled();
  });

  it("that are schemas give the handler what they make of the payload", async () => {
    const { socket, connection } = await pair();
    socket.handle("x", z.object({ n: z.coerce.number(), tag: z.string().default("none") }), (payload) => payload);
    socket.handle(
      "later",
      z.string().refine(async (text) => text !== "bad"),
      (payload) => payload,
    );
    expect(await ask(connection, '21["x",{"n":"5","more":1}]')).toEqual(['31[{"n":5,"tag":"none"}]']);
    expect(await ask(connection, '22["later","good"]')).toEqual(['32["good"]']);
    const [refused] = await ask(connection, '23["later","bad"]');
    expect(refused).toContain('"code":"SIO_INVALID_PAYLOAD"');
    const [missing] = await ask(connection, '24["x"]');
    expect(missing).toContain('"issues":[{"path":[]');
  });
});

describe("hooks for errors", () => {
  it("map what handlers throw, one after the other, and what they return or throw is answered", async () => {
    const { io, socket, connection, failures } = await pair();
    const seen: unknown[] = [];
    io.useError((error, { event }) => void seen.push([event, (error as Error).message]));
    io.useError(async (error) =>
      (error as Error).message === "db" ? new EventError("DB_DOWN", "try later") : undefined,
    );
    io.useError((error) => {
      if ((error as Error).message === "other") throw new EventError("OTHER", "other");
    });
    io.useError((error) =>
      (error as Error).message === "plain" ? { status: "error", code: "PLAIN", message: "p", secret: 1 } : undefined,
    );
    socket.handle("x", (message) => {
      throw new Error(message);
    });
    expect(await ask(connection, '21["x","db"]')).toEqual([
      '31[{"status":"error","code":"DB_DOWN","message":"try later"}]',
    ]);
    expect(await ask(connection, '22["x","other"]')).toEqual([
      '32[{"status":"error","code":"OTHER","message":"other"}]',
    ]);
    expect(await ask(connection, '23["x","plain"]')).toEqual(['33[{"status":"error","code":"PLAIN","message":"p"}]']);
    expect(await ask(connection, '24["x","y"]')).toMatchObject([expect.stringContaining("SIO_INTERNAL_ERROR")]);
    expect(seen).toEqual([
      ["x", "db"],
      ["x", "other"],
      ["x", "plain"],
      ["x", "y"],
    ]);
    expect(failures).toMatchObject([{ error: { message: "y" } }]);
  });
});

describe("a hook that takes too long", () => {
  it("does not keep the client waiting, whether the handler threw at once or later", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { io, socket, connection } = await pair({ handlerTimeout: 1000 });
    io.useError(() => new Promise(() => {}));
    socket.handle("now", () => {
      throw new Error("x");
    });
    socket.handle("later", () => Promise.reject(new Error("x")));
    connection.receive('21["now"]', '22["later"]');
    await vi.advanceTimersByTimeAsync(1000);
    expect(connection.take()).toEqual([
      expect.stringMatching(/^31.*SIO_HANDLER_TIMEOUT/),
      expect.stringMatching(/^32.*SIO_HANDLER_TIMEOUT/),
    ]);
  });
});

describe("a middleware of a socket that refuses an event", () => {
  it("has it answered where a handler would have", async () => {
    const { socket, connection } = await pair();
    socket.use((_event, next) => next(new Error("internal words")));
    socket.handle("x", () => "never");
    expect(await ask(connection, '21["x"]')).toEqual([
      '31[{"status":"error","code":"SIO_FORBIDDEN","message":"The event was refused"}]',
    ]);
  });

  it("tells listeners of `error` as ever where there is no handler", async () => {
    const { socket, connection } = await pair();
    const heard = vi.fn();
    socket.on("error", heard);
    socket.use((_event, next) => next(new Error("no")));
    socket.on("x", () => {});
    expect(await ask(connection, '21["x"]')).toEqual([]);
    expect(heard).toHaveBeenCalledExactlyOnceWith(new Error("no"));
  });
});

describe("a listener for what nobody hears", () => {
  it("gets the name, the arguments and the acknowledgement of an event without listener and handler", async () => {
    const { io, socket, connection } = await pair();
    const heard: unknown[] = [];
    socket.onUnheard((event: string, value: unknown, ack: (answer: unknown) => void) => {
      heard.push(event);
      ack(value);
    });
    socket.once("once", () => heard.push("by a listener"));
    socket.handle("handled", () => "by a handler");
    io.handle("everywhere", () => "by one of the namespace");
    expect(await ask(connection, '21["unknown",7]')).toEqual(["31[7]"]);
    connection.receive('2["once",1]', '22["handled"]', '23["everywhere"]');
    await turn();
    expect(heard).toEqual(["unknown", "by a listener"]);
  });

  it("does not get what a middleware refuses, however late it was added, or however late it decides", async () => {
    const { socket, connection } = await pair();
    const heard: unknown[] = [];
    socket.onUnheard((event: string) => heard.push(event));
    socket.on("error", () => {});
    socket.use(([event], next) => void setImmediate(() => next(event === "x" ? new Error("no") : undefined)));
    connection.receive('2["x"]', '2["y"]');
    await turn();
    await turn();
    expect(heard).toEqual(["y"]);
  });

  it("is reported when it fails, and counts as running until it is through", async () => {
    const { socket, connection, failures } = await pair();
    socket.onUnheard(async () => {
      throw new Error("broken");
    });
    connection.receive('2["x",1]');
    await turn();
    expect(failures).toEqual([{ socket, event: "x", args: [1], ack: undefined, error: new Error("broken") }]);
  });
});
