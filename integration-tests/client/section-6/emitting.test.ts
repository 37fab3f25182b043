import { expect, it } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { whenWritable } from "../../support/when-writable.js";
import { clientSuite, singleTransports } from "../support/client-suite.js";
import { recorded } from "../support/observe.js";

interface CreatedPacket {
  readonly type: string;
  readonly data: string;
  readonly options: { readonly compress: boolean };
}

const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

clientSuite("emitting", ({ startServer, open, connect, connectPair }) => {
  it("36: compresses what it sends unless told otherwise, once", async () => {
    const server = await startServer();
    const socket = await connect(server.url);
    const packets = recorded<[CreatedPacket]>(socket.io.engine, "packetCreate");

    socket.emit("plain");
    socket.compress(false).emit("not compressed");
    socket.compress(true).emit("compressed");
    socket.emit("plain again");

    expect(packets.map(([{ type, options }]) => [type, options.compress])).toEqual([
      ["message", true],
      ["message", false],
      ["message", true],
      ["message", true],
    ]);
  });

  it("41: refuses to emit what is reserved, before it is connected too", () => {
    const socket = open("http://localhost", { autoConnect: false });

    for (const event of reserved) {
      expect(() => socket.emit(event)).toThrow(new Error(`"${event}" is a reserved event name`));
    }
    expect(socket.sendBuffer).toEqual([]);
  });

  it("41: emits everything else, whatever it means elsewhere", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const names = ["error", "connection", "ping", "reconnect", "message", "toString", "__proto__"];
    const received = Promise.all(names.map((name) => nextEvent(peer, name)));

    for (const name of names) socket.emit(name, name);

    expect(await received).toEqual(names.map((name) => [name]));
  });

  it("42: is answered for what it emitted before it connected, and then for what it emits as it does", async () => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => peer.on("echo", (value, reply) => reply(value)));
    const socket = open(server.url);
    const answers: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      const onAnswer = (value: unknown): void => void (answers.push(value) === 2 && resolve());
      socket.on("connect", () => socket.emit("echo", "second", onAnswer));
      socket.emit("echo", "first", onAnswer);
    });

    await both;

    expect(answers).toEqual(["first", "second"]);
  });

  it("43: drops what is volatile while there is no connection", async () => {
    const server = await startServer();
    const received = new Promise((resolve) => {
      server.io.on("connection", (peer: InteropSocket) => peer.onAny((...args) => resolve(args)));
    });
    const socket = open(server.url, { autoConnect: false });

    socket.volatile.emit("lost");
    socket.connect();
    socket.emit("kept");

    expect(await received).toEqual(["kept"]);
  });

  it("43: drops what is volatile right behind another event, over polling, and answers it never", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { travel: "polling" });
    const answers: unknown[] = [];
    const seen: unknown[] = [];
    peer.onAny((name: string, reply: () => void) => {
      seen.push(name);
      reply();
    });
    await whenWritable(socket.io.engine);

    const answered = new Promise((resolve) => {
      socket.emit("regular", resolve);
      socket.volatile.emit("lost", () => answers.push("lost"));
      socket.emit("last", resolve);
    });
    await answered;
    await socket.emitWithAck("fence");

    expect(seen).toEqual(["regular", "last", "fence"]);
    expect(answers).toEqual([]);
  });

  it.each(singleTransports)("43: sends what is volatile when nothing is under way, over %s", async (travel) => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { travel });
    const received = nextEvent(peer, "position");
    await whenWritable(socket.io.engine);

    socket.volatile.emit("position", 1);

    expect(await received).toEqual([1]);
  });

  it("44: calls listeners of any event in order, those put in front in the reverse one", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const calls: unknown[] = [];
    const listener = (name: string) => (): void => void calls.push(name);
    const [unwanted, c] = [listener("unwanted"), listener("c")];
    socket.onAny(unwanted).onAny(c).prependAny(listener("b")).prependAny(listener("a"));
    socket.on("event", listener("d"));
    socket.offAny(unwanted);
    expect(socket.listenersAny()).toHaveLength(3);
    const received = nextEvent(socket, "event");

    peer.emit("event");
    await received;
    expect(calls).toEqual(["a", "b", "c", "d"]);

    socket.offAny();
    expect(socket.listenersAny()).toEqual([]);
  });

  it("44: calls listeners of any outgoing event in the same way", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const calls: unknown[] = [];
    const listener =
      (name: string) =>
      (...args: unknown[]): void =>
        void calls.push([name, ...args]);
    const [unwanted, c] = [listener("unwanted"), listener("c")];
    socket.onAnyOutgoing(unwanted).onAnyOutgoing(c).prependAnyOutgoing(listener("b")).prependAnyOutgoing(listener("a"));
    socket.offAnyOutgoing(unwanted);
    expect(socket.listenersAnyOutgoing()).toHaveLength(3);
    const received = nextEvent(peer, "event");

    socket.emit("event", 1);
    await received;
    expect(calls).toEqual([
      ["a", "event", 1],
      ["b", "event", 1],
      ["c", "event", 1],
    ]);

    socket.offAnyOutgoing();
    expect(socket.listenersAnyOutgoing()).toEqual([]);
  });

  it("44: shows listeners of any event neither connect nor disconnect nor answers", async () => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => peer.on("echo", (value, reply) => reply(value)));
    const socket = open(server.url);
    const seen: unknown[] = [];
    socket.onAny((name) => seen.push(["in", name]));
    socket.onAnyOutgoing((name) => seen.push(["out", name]));

    await socket.emitWithAck("echo", 1);
    socket.disconnect();

    expect(seen).toEqual([["out", "echo"]]);
  });

  it("45: shows listeners of any outgoing event the very bytes that are sent", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const seen: unknown[] = [];
    socket.onAnyOutgoing((...args: unknown[]) => seen.push(args));
    const bytes = Uint8Array.of(1, 2, 3);
    const received = nextEvent(peer, "bytes");

    socket.emit("bytes", bytes, { nested: bytes });

    expect(await received).toEqual([Buffer.from(bytes), { nested: Buffer.from(bytes) }]);
    const [[name, sent, object]] = seen as [[string, Uint8Array, { nested: Uint8Array }]];
    expect(name).toBe("bytes");
    expect(sent).toBe(bytes);
    expect(object.nested).toBe(bytes);
  });
});
