import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn } from "./fake-engine.js";
import { Server, type ServerOptions, type Socket } from "./index.js";

function serve(options?: Partial<ServerOptions>): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server(options).bind(engine), engine };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("joining a namespace", () => {
  it("answers CONNECT with nothing but the id of the socket", async () => {
    const { io, engine } = serve();
    const { sid, chunks } = await engine.join();
    expect(chunks).toEqual([`0{"sid":"${sid}"}`]);
    expect(sid).toHaveLength(20);
    expect([...io.sockets.sockets.keys()]).toEqual([sid]);
  });

  it("writes CONNECT before what the listeners of connection send", async () => {
    const { io, engine } = serve();
    const events: string[] = [];
    io.on("connect", () => events.push("connect"));
    io.on("connection", (socket) => {
      events.push("connection");
      expect(socket.connected).toBe(true);
      expect(socket.rooms).toEqual(new Set([socket.id]));
      socket.emit("hello");
    });
    const { chunks, sid } = await engine.join();
    expect(chunks).toEqual([`0{"sid":"${sid}"}`, '2["hello"]']);
    expect(events).toEqual(["connect", "connection"]);
  });

  it("refuses a namespace that does not exist and keeps the connection", async () => {
    const { engine } = serve();
    const connection = engine.open();
    connection.receive("0/random");
    await turn();
    expect(connection.take()).toEqual(['4/random,{"message":"Invalid namespace"}']);
    expect(connection.readyState).toBe("open");
    connection.receive("0/random?x=1,");
    expect(connection.take()).toEqual(['4/random?x=1,{"message":"Invalid namespace"}']);
  });

  it("lets a client join several namespaces, and leave one without harm to the others", async () => {
    const { io, engine } = serve();
    const gone = vi.fn();
    const chat = io.of("/chat");
    chat.on("connection", (socket) => socket.on("disconnect", gone));
    io.on("connection", (socket) => socket.on("ping?", (ack: () => void) => ack()));
    const { connection } = await engine.join();
    await engine.join("/chat", undefined, connection);
    connection.receive("1/chat,", '27["ping?"]');
    expect(gone).toHaveBeenCalledWith("client namespace disconnect", undefined);
    expect(connection.take()).toEqual(["37[]"]);
    expect(chat.sockets.size).toBe(0);
  });

  it("gives a client that leaves and comes back a new socket", async () => {
    const { engine } = serve();
    const first = await engine.join();
    first.connection.receive("1");
    const second = await engine.join("/", undefined, first.connection);
    expect(second.sid).not.toBe(first.sid);
  });

  it("does not put clients of another namespace into the main one", async () => {
    const { io, engine } = serve();
    const middleware = vi.fn();
    io.use(middleware);
    io.of("/chat");
    await engine.join("/chat");
    expect(middleware).not.toHaveBeenCalled();
    expect(io.sockets.sockets.size).toBe(0);
  });
});

describe("a client that breaks the protocol", () => {
  it.each([
    ["joins a namespace twice", "0"],
    ["sends CONNECT_ERROR", '4{"message":"no"}'],
    ["sends an event to a namespace it has not joined", '2/chat,["x"]'],
    ["disconnects from a namespace it has not joined", "1/chat,"],
  ])("is closed when it %s", async (_what, chunk) => {
    const { io, engine } = serve();
    io.of("/chat");
    const reasons: unknown[] = [];
    io.on("connection", (socket) => socket.on("disconnect", (reason) => reasons.push(reason)));
    const { connection } = await engine.join();
    connection.receive(chunk);
    expect(connection.readyState).toBe("closed");
    expect(reasons).toEqual(["forced close"]);
  });

  it.each(['2["x"]', "1", "0"])("is closed when it sends %s before CONNECT is answered", async (chunk) => {
    const { io, engine } = serve();
    const onConnection = vi.fn();
    io.on("connection", onConnection);
    const connection = engine.open();
    connection.receive("0", chunk);
    await turn();
    expect(connection.readyState).toBe("closed");
    expect(onConnection).not.toHaveBeenCalled();
    expect(io.sockets._preConnectSockets.size).toBe(0);
  });

  it("counts as gone at once where closing the connection takes time", async () => {
    const { io, engine } = serve();
    const reasons: unknown[] = [];
    io.on("connection", (socket) => socket.on("disconnect", (reason) => reasons.push(reason)));
    const { connection } = await engine.join();
    connection.closesAtOnce = false;
    connection.receive("0");
    expect(connection.readyState).toBe("closing");
    expect(reasons).toEqual(["forced server close"]);
    connection.drop("forced close");
    expect(reasons).toHaveLength(1);
  });

  it.each(["abc", "2{}", "2abc[]", "", undefined, null, new Uint8Array(1), '50-["x"]', "2[true]", '2["connect"]'])(
    "gets an error on its sockets and is closed when %s cannot be decoded",
    async (chunk) => {
      const { io, engine } = serve();
      const events: unknown[] = [];
      io.on("connection", (socket) => {
        socket.on("error", (error) => events.push(error));
        socket.on("disconnect", (reason) => events.push(reason));
      });
      const { connection } = await engine.join();
      connection.receive(chunk);
      expect(events).toEqual([expect.any(Error), "forced close"]);
    },
  );

  it("is forgiven packets that were on their way when it left the namespace", async () => {
    const { io, engine } = serve();
    io.of("/chat");
    const heard = vi.fn();
    io.on("connection", (socket) => socket.on("late", heard));
    const { connection, sid } = await engine.join();
    await engine.join("/chat", undefined, connection);
    io.sockets.sockets.get(sid)!.disconnect();
    connection.receive('2["late"]', '51-["late",{"_placeholder":true,"num":0}]', new Uint8Array(2), "30[]", "1");
    expect(heard).not.toHaveBeenCalled();
    expect(connection.readyState).toBe("open");
  });
});

describe("a connection that breaks", () => {
  it("tells its sockets what the engine tells", async () => {
    const { io, engine } = serve();
    const errors: unknown[] = [];
    io.on("connection", (socket) => socket.on("error", (error) => errors.push(error.message)));
    const { connection } = await engine.join();
    connection.emit("error", new Error("broken pipe"));
    expect(errors).toEqual(["broken pipe"]);
    expect(connection.readyState).toBe("closed");
  });

  it("while CONNECT is written makes no connection", async () => {
    const { io, engine } = serve();
    const onConnection = vi.fn();
    io.on("connection", onConnection);
    const connection = engine.open();
    vi.spyOn(connection, "write").mockImplementation(() => {
      connection.drop("transport error");
      return connection;
    });
    connection.receive("0");
    await turn();
    expect(onConnection).not.toHaveBeenCalled();
    expect(io.sockets.sockets.size).toBe(0);
    expect(io.sockets.adapter.sids.size).toBe(0);
  });

  it("says nothing more once it was given up, even if data still comes", async () => {
    const { io, engine } = serve();
    const heard = vi.fn();
    io.on("connection", (socket) => socket.on("x", heard));
    const { connection } = await engine.join();
    connection.closesAtOnce = false;
    connection.receive("0");
    connection.emit("data", '2["x"]');
    expect(heard).not.toHaveBeenCalled();
  });

  it("while a function decides about its namespace is not answered", async () => {
    const { io, engine } = serve();
    let decide = (_error: null, _allow: boolean): void => {};
    io.of((_name, _auth, given) => {
      decide = given;
    });
    const connection = engine.open();
    connection.receive("0/x,");
    connection.drop();
    decide(null, true);
    await turn();
    expect(io.of("/x")._preConnectSockets.size).toBe(0);
  });
});

describe("the connect timeout", () => {
  it("closes a connection that joins no namespace in time", () => {
    vi.useFakeTimers();
    const { engine } = serve({ connectTimeout: 100 });
    const connection = engine.open();
    vi.advanceTimersByTime(99);
    expect(connection.readyState).toBe("open");
    vi.advanceTimersByTime(1);
    expect(connection.readyState).toBe("closed");
  });

  it("is 45 seconds when given as 0", () => {
    const { io } = serve({ connectTimeout: 0 });
    expect(io.connectTimeout()).toBe(45_000);
  });

  it("ends with the first namespace joined", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { engine } = serve({ connectTimeout: 100 });
    const { connection } = await engine.join();
    vi.advanceTimersByTime(1_000);
    expect(connection.readyState).toBe("open");
  });

  it("runs on while middlewares do not decide", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { io, engine } = serve({ connectTimeout: 100 });
    io.use(() => {});
    const connection = engine.open();
    connection.receive("0");
    expect(io.sockets._preConnectSockets.size).toBe(1);
    vi.advanceTimersByTime(100);
    expect(connection.readyState).toBe("closed");
    expect(io.sockets._preConnectSockets.size).toBe(0);
  });
});

describe("middlewares of a namespace", () => {
  it("run in order, before the socket is connected", async () => {
    const { io, engine } = serve();
    const log: unknown[] = [];
    io.use((socket, next) => {
      log.push([
        "first",
        socket.connected,
        socket.rooms.size,
        io.sockets.sockets.size,
        io.sockets._preConnectSockets.size,
      ]);
      void socket.join("early");
      io.emit("not for it");
      setImmediate(next);
    });
    io.use((_socket, next) => {
      log.push("second");
      next();
    });
    io.on("connection", (socket) => log.push(["connection", [...socket.rooms]]));
    const connection = engine.open();
    connection.receive("0");
    await turn();
    await turn();
    expect(log).toEqual([["first", false, 0, 0, 1], "second", ["connection", ["early", expect.any(String)]]]);
    expect(connection.take()).toHaveLength(1);
    expect(io.sockets._preConnectSockets.size).toBe(0);
    expect(io.sockets.sockets.size).toBe(1);
  });

  it("refuse with the message and data of an error, and nothing stays behind", async () => {
    const { io, engine } = serve();
    const after = vi.fn();
    io.use((socket, next) => {
      void socket.join("room");
      next(Object.assign(new Error("no way"), { data: { x: 1 } }));
    });
    io.use(after);
    const connection = engine.open();
    connection.receive("0");
    await turn();
    expect(connection.take()).toEqual(['4{"message":"no way","data":{"x":1}}']);
    expect(after).not.toHaveBeenCalled();
    expect(io.sockets.adapter.rooms.size).toBe(0);
    expect(io.sockets._preConnectSockets.size).toBe(0);
    expect(connection.readyState).toBe("open");
  });

  it("refuse by throwing and by rejecting just the same", async () => {
    const { io, engine } = serve();
    io.use(() => {
      throw new Error("thrown");
    });
    io.of("/async").use(async () => {
      throw new Error("rejected");
    });
    const connection = engine.open();
    connection.receive("0", "0/async,");
    await turn();
    expect(connection.take()).toEqual(['4{"message":"thrown"}', '4/async,{"message":"rejected"}']);
  });

  it("let a client try again after a refusal", async () => {
    const { io, engine } = serve();
    io.use((socket, next) => next(socket.handshake.auth["token"] === "good" ? undefined : new Error("bad token")));
    const connection = engine.open();
    connection.receive('0{"token":"wrong"}');
    await turn();
    expect(connection.take()).toEqual(['4{"message":"bad token"}']);
    await engine.join("/", { token: "good" }, connection);
  });

  it("count only the first call of next", async () => {
    const { io, engine } = serve();
    const second = vi.fn((_socket: Socket, next: () => void) => next());
    io.use((_socket, next) => {
      next();
      next(new Error("too late"));
    });
    io.use(second);
    await engine.join();
    expect(second).toHaveBeenCalledTimes(1);
  });

  it("connect nobody who has gone meanwhile", async () => {
    const { io, engine } = serve();
    const onConnection = vi.fn();
    let proceed = (): void => {};
    io.use((_socket, next) => {
      proceed = next;
    });
    io.on("connection", onConnection);
    const connection = engine.open();
    connection.receive("0");
    connection.drop();
    expect(io.sockets._preConnectSockets.size).toBe(0);
    proceed();
    await turn();
    expect(onConnection).not.toHaveBeenCalled();
    expect(io.sockets.sockets.size).toBe(0);
    expect(io.sockets.adapter.sids.size).toBe(0);
  });
});

describe("the handshake", () => {
  it("tells what is known of the first request, and auth per namespace", async () => {
    const { io, engine } = serve();
    io.of("/chat");
    const request = {
      headers: { origin: "http://a.example", "x-y": "z" },
      url: "/socket.io/?EIO=4&k=v",
      _query: { EIO: "4", k: "v" },
      socket: { encrypted: true },
    };
    const connection = engine.open(request as never);
    const main = await engine.join("/", undefined, connection);
    const chat = await engine.join("/chat", { token: "t" }, connection);
    const { handshake } = io.sockets.sockets.get(main.sid)!;
    expect(handshake).toEqual({
      headers: request.headers,
      time: new Date(handshake.issued).toString(),
      address: "127.0.0.1",
      xdomain: true,
      secure: true,
      issued: expect.any(Number),
      url: request.url,
      query: request._query,
      auth: {},
    });
    expect(io.of("/chat").sockets.get(chat.sid)!.handshake.auth).toEqual({ token: "t" });
    expect(io.sockets.sockets.get(main.sid)!.handshake).toBe(handshake);
  });

  it("works without a request", async () => {
    const { io, engine } = serve();
    const { sid } = await engine.join();
    const { handshake } = io.sockets.sockets.get(sid)!;
    expect(handshake).toMatchObject({ headers: {}, query: {}, secure: true, xdomain: false });
  });
});
