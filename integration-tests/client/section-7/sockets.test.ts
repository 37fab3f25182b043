// Defects of the published client, by their numbers: what it does is shown, and that ours does better.
import { expect, it } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import type { EngineSession } from "../../support/raw-session.js";
import { whenWritable } from "../../support/when-writable.js";
import { clientSuite, type ClientSocket } from "../support/client-suite.js";
import { impatient, messagesAtServer, recorded } from "../support/observe.js";
import { importPublishedProductionBuild, publishedCommonJs } from "../support/published-packages.js";

type Reply = (...answer: unknown[]) => void;

/** Sends a packet of Socket.IO to a client, whatever the server thinks of it. */
function writeRaw(peer: InteropSocket, packet: string): void {
  (peer.conn as unknown as { write(data: string): void }).write(packet);
}

/** Hands a packet to a socket as its manager does. */
function receive(socket: ClientSocket, packet: object): void {
  (socket as unknown as { onpacket(packet: object): void }).onpacket(packet);
}

clientSuite("defects of sockets", ({ client, server: implementation, startServer, open, connect, connectPair }) => {
  it("7.4: heeds an answer that comes twice once (reference, built for production: twice)", async () => {
    const server = await startServer();
    const { io } = client.ours ? client : await importPublishedProductionBuild();
    const replies: Reply[] = [];
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    const socket = io(server.url, { forceNew: true, transports: ["websocket"], retries: 1, ackTimeout: 10_000 });
    const [peer] = await accepted;
    const askedTwice = new Promise<void>((resolve) => {
      peer.on("first", (reply: Reply) => {
        // A second CONNECT makes it send again what is not answered yet.
        if (replies.push(reply) === 1) writeRaw(peer, '0{"sid":"another"}');
        else resolve();
      });
    });
    const second = nextEvent<[Reply]>(peer, "second");
    const answers: unknown[] = [];
    socket.emit("first", () => answers.push("first"));
    socket.emit("second", () => answers.push("second"));

    await askedTwice;
    for (const reply of replies) reply();
    (await second)[0]();
    peer.emit("fence");
    await nextEvent(socket, "fence");
    socket.disconnect();

    expect(answers).toEqual(client.ours ? ["first", "second"] : ["first", "first", "second"]);
  });

  it("7.5: recovers its session after a text that is no offset (reference: starts afresh)", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { socket, peer } = await connectPair(server, impatient);
    const [event, note] = [nextEvent(socket, "event"), nextEvent(socket, "note")];
    peer.emit("event");
    await event;
    await whenWritable(peer.conn);
    // What is volatile is not repeated and so has no offset.
    peer.volatile.emit("note", "a text");
    await note;
    const connected = nextEvent(socket, "connect");

    socket.io.engine.close();
    await connected;

    // It takes a server that says what its offsets look like: ours.
    expect(socket.recovered).toBe(client.ours && implementation.ours);
  });

  it("7.6: takes an event with more than ten attachments (reference: parse error)", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { reconnection: false });
    const values = Array.from({ length: 11 }, (_, index) => Buffer.from([index]));
    const outcome = Promise.race([
      nextEvent(socket, "many"),
      nextEvent(socket, "disconnect").then(([reason]) => reason),
    ]);

    peer.emit("many", ...values);

    expect(await outcome).toEqual(client.ours ? values : "parse error");
  });

  it("7.8: applies a flag to the event it was said of (reference: to the next one as well, with retries)", async () => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => peer.onAny((...args: unknown[]) => (args.at(-1) as Reply)()));
    const socket = open(server.url, { autoConnect: false, retries: 1, ackTimeout: 10_000 });
    const last = new Promise((resolve) => {
      socket.compress(false).emit("first");
      socket.emit("second", resolve);
    });

    socket.connect();
    const packets = recorded<[{ data?: unknown; options: { compress: boolean } }]>(socket.io.engine, "packetCreate");
    await last;

    const events = packets.filter(([{ data }]) => String(data).startsWith("2"));
    expect(events.map(([{ options }]) => options.compress)).toEqual([false, client.ours]);
  });

  it("7.9: removes all listeners of an event when none is named (reference: one)", () => {
    const socket = open("http://localhost", { autoConnect: false });
    socket.on("event", () => {}).on("event", () => {});

    socket.off("event", undefined);

    expect(socket.listeners("event")).toHaveLength(client.ours ? 0 : 1);
  });

  it("7.10: sends what a listener adds after what waits already (reference: in front of it)", async () => {
    const server = await startServer();
    const seen = new Promise((resolve) => {
      server.io.on("connection", (peer: InteropSocket) => {
        const names: string[] = [];
        peer.onAny((name: string) => names.push(name) === 3 && resolve(names));
      });
    });
    const socket = open(server.url);
    socket.onAnyOutgoing((name) => name === "a" && socket.emit("c"));

    socket.emit("a");
    socket.emit("b");

    const names = (await seen) as string[];
    expect(names.toSorted()).toEqual(["a", "b", "c"]);
    expect(names.at(-1)).toBe(client.ours ? "c" : "b");
  });

  it("7.11: stands a refusal that says nothing (reference: throws)", () => {
    const socket = open("http://localhost", { autoConnect: false });
    const errors = recorded<[Error]>(socket, "connect_error");
    const refuse = (): void => receive(socket, { type: 4, nsp: "/" });

    if (client.ours) {
      refuse();
      expect(errors).toHaveLength(1);
      expect(errors[0]?.[0]).toBeInstanceOf(Error);
    } else expect(refuse).toThrow(TypeError);
  });

  it("7.11: stands an answer that says nothing (reference: throws)", async () => {
    const server = await startServer();
    const socket = await connect(server.url);
    const answers: unknown[] = [];
    socket.timeout(10_000).emit("event", (...answer: unknown[]) => answers.push(answer));
    const answer = (): void => receive(socket, { type: 3, nsp: "/", id: 0 });

    if (client.ours) {
      answer();
      expect(answers).toEqual([[null]]);
    } else expect(answer).toThrow(TypeError);
  });

  it("7.15: joins once, however often it is told to connect meanwhile (reference: each time)", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const socket = open(server.url, { autoConnect: false });
    const connects = recorded(socket, "connect");
    socket.io.open();
    await nextEvent(socket.io, "open");

    socket.connect();
    socket.connect();
    await nextEvent(socket, "connect");
    const peers = [...server.io.sockets.sockets.values()];
    const fence = nextEvent(socket, "fence");
    peers.at(-1)?.emit("fence");
    await fence;

    expect(messages).toEqual(client.ours ? ["0"] : ["0", "0"]);
    expect(connects).toHaveLength(client.ours ? 1 : 2);
  });

  it("7.16: closes its manager once (reference: each time it is told to disconnect)", async () => {
    const server = await startServer();
    const socket = await connect(server.url);
    const closes = recorded(socket.io, "close");

    socket.disconnect().disconnect().disconnect();

    expect(closes).toHaveLength(client.ours ? 1 : 3);
  });

  it("7.16: shares the connection that is there, not one that was given up (reference: the first for ever)", async () => {
    const server = await startServer();
    server.io.of("/other");
    const options = { transports: ["websocket"] };
    const first = client.io(server.url, options);
    await nextEvent(first, "connect");
    first.disconnect();
    const second = client.io(server.url, options);
    await nextEvent(second, "connect");

    const other = client.io(`${server.url}/other`, options);
    await nextEvent(other, "connect");
    const isShared = other.io === second.io;
    for (const socket of [second, other]) socket.disconnect();

    expect(isShared).toBe(client.ours);
  });

  it("7.16: gives CommonJS programs the protocol and the transports too (reference: undefined)", () => {
    const required = (client.ours ? client.io : publishedCommonJs) as object;

    for (const name of ["io", "Manager", "Socket"]) expect(Reflect.get(required, name)).toBeTypeOf("function");
    expect(Reflect.get(required, "protocol")).toBe(client.ours ? 5 : undefined);
    for (const name of ["Fetch", "NodeWebSocket", "NodeXHR", "WebSocket", "WebTransport", "XHR"]) {
      expect(Reflect.get(required, name)).toBeTypeOf(client.ours ? "function" : "undefined");
    }
  });

  it("7.20: answers nothing on a connection that was not asked (reference: with an id of the old one)", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, impatient);
    const question = nextEvent<[Reply]>(socket, "question");
    peer.emit("question", () => {});
    const [reply] = await question;
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    const connected = nextEvent(socket, "connect");
    socket.io.engine.close();
    const [again] = await accepted;
    await connected;
    const packets: unknown[] = [];
    (again.conn as EngineSession).on("packet", ({ data }: { data?: unknown }) => packets.push(data));
    const fence = nextEvent(again, "fence");

    reply("late");
    socket.emit("fence");
    await fence;

    expect(packets).toEqual(client.ours ? ['2["fence"]'] : ['30["late"]', '2["fence"]']);
  });
});
