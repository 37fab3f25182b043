import { expect, it, onTestFinished, vi } from "vitest";
import { connectClient, connectPair, travels } from "../support/connect-client.js";
import { eventsUntilFence } from "../support/events-until-fence.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";

/** Arguments whose JSON form is exactly themselves. */
const plainArguments = [
  [],
  [0],
  ["", " ", "text"],
  [null, true, false, -1.5, 1e21],
  [[], {}, [[[]]], { nested: { list: [{ deep: null }] } }],
  [
    { _placeholder: false, num: 0 },
    { "": "empty key", "a.b": 1 },
  ],
];

interopSuite("events", ({ startServer, oursOnly }) => {
  it.each(travels)("carries every kind of JSON value both ways over %s", async (travel) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { travel });

    const atServer = eventsUntilFence(socket);
    const atClient = eventsUntilFence(client);
    for (const args of plainArguments) {
      client.emit("values", ...args);
      socket.emit("values", ...args);
    }
    client.emit("fence");
    socket.emit("fence");

    const expected = plainArguments.map((args) => ["values", ...args]);
    expect(await atServer).toEqual(expected);
    expect(await atClient).toEqual(expected);
  });

  it("sends what JSON cannot say the way JSON.stringify does", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);

    const received = nextEvent(client, "odd");
    const date = new Date(0);
    socket.emit("odd", undefined, () => undefined, date, Number.NaN, { kept: 1, dropped: undefined });

    expect(await received).toEqual([null, null, date.toISOString(), null, { kept: 1 }]);
  });

  it("carries messages of send() both ways", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);

    const atServer = nextEvent(socket, "message");
    const atClient = nextEvent(client, "message");
    client.send("to server", 1);
    socket.send("to client", 2);

    expect(await atServer).toEqual(["to server", 1]);
    expect(await atClient).toEqual(["to client", 2]);
  });

  it("carries event names that are close to reserved ones", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const names = [
      "error",
      "connection",
      "ping",
      "reconnect",
      "toString",
      "__proto__",
      "constructor",
      "hasOwnProperty",
      "",
    ];
    socket.on("error", () => undefined);

    const atServer = eventsUntilFence(socket);
    const atClient = eventsUntilFence(client);
    for (const name of [...names, "fence"]) {
      client.emit(name);
      socket.emit(name);
    }

    expect(await atServer).toEqual(names.map((name) => [name]));
    expect(await atClient).toEqual(names.map((name) => [name]));
  });

  it.each(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])(
    "refuses to emit the reserved event %s",
    async (name) => {
      const server = await startServer();
      const { socket } = await connectPair(server);

      const message = `"${name}" is a reserved event name`;
      expect(() => socket.emit(name)).toThrow(message);
      expect(() => socket.broadcast.emit(name)).toThrow(message);
      expect(() => server.io.emit(name)).toThrow(message);
    },
  );

  it("throws where it was emitted what cannot be encoded, and stays usable", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const circle: { self?: unknown } = {};
    circle.self = circle;

    expect(() => socket.emit("bad", circle)).toThrow();
    expect(() => socket.emit("bad", 1n)).toThrow(TypeError);
    expect(() => server.io.emit("bad", 1n)).toThrow(TypeError);

    const received = nextEvent(client, "good");
    socket.emit("good", 1);
    expect(await received).toEqual([1]);
  });

  it("shows every incoming event to the catch-all listeners, the latest prepended first", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const order: unknown[] = [];
    const removed = (): void => void order.push("removed");
    socket.onAny((name, value) => order.push(["added", name, value]));
    socket.prependAny((name, value) => order.push(["prepended", name, value]));
    socket.onAny(removed);
    socket.offAny(removed);
    socket.on("event", (value) => order.push(["listener", value]));

    const received = nextEvent(socket, "event");
    client.emit("event", 5);
    await received;

    expect(order).toEqual([
      ["prepended", "event", 5],
      ["added", "event", 5],
      ["listener", 5],
    ]);
    expect(socket.listenersAny()).toHaveLength(2);
    socket.offAny();
    expect(socket.listenersAny()).toHaveLength(0);
  });

  it("shows every outgoing event to the outgoing catch-all listeners, broadcasts and binary included", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const outgoing: unknown[][] = [];
    socket.onAnyOutgoing((name, ...args) => outgoing.push([name, ...args]));
    const bytes = Buffer.from([1, 2, 3]);

    const received = nextEvent(client, "last");
    socket.emit("direct", 1, () => undefined);
    server.io.emit("broadcast", bytes);
    socket.emit("last");
    await received;

    expect(outgoing).toEqual([["direct", 1], ["broadcast", bytes], ["last"]]);
    expect(outgoing[1]?.[1]).toBe(bytes);
  });

  it("lets a socket middleware rewrite or refuse incoming events", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.use((event, next) => {
      if (event[0] === "refused") return next(new Error("not allowed"));
      if (event[0] === "old name") event[0] = "new name";
      next();
    });
    const refused = nextEvent<[Error]>(socket, "error");
    const seen: unknown[] = [];
    socket.on("refused", () => seen.push("refused"));
    socket.on("old name", () => seen.push("old name"));
    const renamed = nextEvent(socket, "new name");

    client.emit("refused");
    client.emit("old name", 9);

    expect((await refused)[0].message).toBe("not allowed");
    expect(await renamed).toEqual([9]);
    expect(seen).toEqual([]);
  });

  it("survives a refused event that nobody listens to", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.use((event, next) => next(event[0] === "refused" ? new Error("not allowed") : undefined));

    const received = nextEvent(socket, "accepted");
    client.emit("refused");
    client.emit("accepted");

    expect(await received).toEqual([]);
    expect(client.connected).toBe(true);
  });

  it("ignores what arrives after the socket was disconnected", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const other = await connectClient(server.url);
    const seen: unknown[] = [];
    socket.onAny((name) => seen.push(name));

    const gone = nextEvent(client, "disconnect");
    socket.disconnect();
    client.emit("late", Buffer.from([1]));
    await gone;
    const [again] = await Promise.all([nextEvent(client, "connect"), client.connect()]);

    expect(again).toEqual([]);
    expect(seen).toEqual([]);
    expect(other.connected).toBe(true);
  });

  it("does not deliver the event during which a catch-all listener has disconnected the socket", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const delivered = vi.fn();
    socket.on("too much", delivered);
    socket.onAny(() => socket.disconnect());
    const gone = nextEvent(socket, "disconnect");

    client.emit("too much");
    await gone;
    await Promise.all([nextEvent(client, "connect"), nextEvent(client, "disconnect").then(() => client.connect())]);

    expect(delivered).not.toHaveBeenCalled();
  });

  it("emits nothing to a socket that is gone and still answers true", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const gone = nextEvent(socket, "disconnect");
    client.disconnect();
    await gone;

    expect(socket.emit("late")).toBe(true);
  });

  oursOnly("contains an error thrown by a listener", "there it ends the process", async () => {
    const log = vi.spyOn(console, "error");
    onTestFinished(() => log.mockRestore());
    const logged = new Promise<void>((resolve) => {
      log.mockImplementation(() => log.mock.calls.length === 2 && resolve());
    });
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    socket.on("throws", () => {
      throw new Error("from a listener");
    });
    socket.on("rejects", async () => Promise.reject(new Error("from an async listener")));

    const received = nextEvent(socket, "after");
    client.emit("throws");
    client.emit("rejects");
    client.emit("after");

    expect(await received).toEqual([]);
    expect(client.connected).toBe(true);
    await logged;
  });
});
