import { expect, it } from "vitest";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";
import { connectReply, joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { openRawWebSocket } from "../support/raw-session.js";

interopSuite("Socket.IO packets on the wire", ({ startServer }) => {
  it("answers CONNECT with the socket id and nothing else", async () => {
    const server = await startServer();

    const { reply, socket } = await joinRawWebSocket(server);

    expect(reply).toBe(`40{"sid":"${socket.id}"}`);
  });

  it.each(["40/chat,", "40/chat", '40/chat,{"token":"x"}'])("joins a namespace with %s", async (packet) => {
    const server = await startServer();
    const accepted = nextEvent<[InteropSocket]>(server.io.of("/chat"), "connection");
    const { peer } = await openRawWebSocket(server);

    peer.send(packet);

    const [socket] = await accepted;
    expect(await peer.next()).toBe(`40/chat,{"sid":"${socket.id}"}`);
  });

  it("answers CONNECT to an unknown namespace with an error and keeps the connection", async () => {
    const server = await startServer();
    const { peer } = await openRawWebSocket(server);

    peer.send("40/random");
    expect(await peer.next()).toBe('44/random,{"message":"Invalid namespace"}');

    peer.send("40");
    expect(await peer.next()).toMatch(connectReply);
  });

  it("answers CONNECT that a middleware refuses with its error", async () => {
    const server = await startServer();
    server.io.of("/plain").use((_socket, next) => next(new Error("no way")));
    server.io.of("/data").use((_socket, next) => next(Object.assign(new Error("no way"), { data: { x: 1 } })));
    const { peer } = await openRawWebSocket(server);

    peer.send("40/plain,");
    expect(await peer.next()).toBe('44/plain,{"message":"no way"}');
    peer.send("40/data,");
    expect(await peer.next()).toBe('44/data,{"message":"no way","data":{"x":1}}');
  });

  it("puts CONNECT in front of what the connection handler emits", async () => {
    const server = await startServer();
    server.io.on("connection", (socket) => void socket.emit("hi", 1));
    const { peer } = await openRawWebSocket(server);

    peer.send("40");

    expect(await peer.next()).toMatch(connectReply);
    expect(await peer.next()).toBe('42["hi",1]');
  });

  it("writes events, numbers for names, namespaces, acks and disconnects in this form", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server, "/admin");

    socket.emit("text", "€", null, { a: [1] });
    socket.emit(5 as unknown as string, "x");
    socket.emit("question", () => undefined);
    server.io.of("/admin").emit("broadcast");
    socket.disconnect();

    expect(await peer.frames.take(5)).toEqual([
      '42/admin,["text","€",null,{"a":[1]}]',
      '42/admin,[5,"x"]',
      '42/admin,0["question"]',
      '42/admin,["broadcast"]',
      "41/admin,",
    ]);
  });

  it("writes binary events as a header and one frame per attachment", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);

    socket.emit("baz", { a: Buffer.from([1]), list: [new Uint8Array([9, 2, 3]).subarray(1)] });

    expect(await peer.frames.take(3)).toEqual([
      '452-["baz",{"a":{"_placeholder":true,"num":0},"list":[{"_placeholder":true,"num":1}]}]',
      new Uint8Array([1]),
      new Uint8Array([2, 3]),
    ]);
  });

  it("answers events that ask for it, with text and with binary", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    socket.on("echo", (...args: unknown[]) => {
      const reply = args.pop() as (...values: unknown[]) => void;
      reply(...args);
    });

    peer.send('42456["echo",1,"two"]');
    peer.send('427["echo"]');
    peer.send('452-789["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    peer.send(new Uint8Array([1, 2]));
    peer.send(new Uint8Array([3]));

    expect(await peer.frames.take(5)).toEqual([
      '43456[1,"two"]',
      "437[]",
      '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      new Uint8Array([1, 2]),
      new Uint8Array([3]),
    ]);
  });

  it("carries the same over polling, binary as base64", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawPolling(server);
    socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));

    await peer.post('451-0["echo",{"_placeholder":true,"num":0}]\x1ebAQIDBA==');

    let body = (await peer.poll()).body;
    while (body.split("\x1e").length < 2) body += `\x1e${(await peer.poll()).body}`;
    expect(body).toBe('461-0[{"_placeholder":true,"num":0}]\x1ebAQIDBA==');
  });

  it("takes acks in every form and ignores those that nobody waits for", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    const answers: unknown[][] = [];
    const ask = (): Promise<void> =>
      new Promise((resolve) => {
        socket.emit("question", (...args: unknown[]) => {
          answers.push(args);
          resolve();
        });
      });

    const asked = [ask(), ask(), ask()];
    await peer.frames.take(3);
    peer.send('4399["unknown"]');
    peer.send('430["text",1]');
    peer.send("431");
    peer.send('461-2[{"_placeholder":true,"num":0}]');
    peer.send(new Uint8Array([1]));
    peer.send('430["again"]');
    await Promise.all(asked);

    expect(answers).toEqual([["text", 1], [], [Buffer.from([1])]]);
    expect(socket.connected).toBe(true);
  });

  it("works under a polluted Object.prototype", async () => {
    const polluted = Object.prototype as { pollution?: string };
    polluted.pollution = "everywhere";
    try {
      const server = await startServer({ cors: { origin: "*" }, cookie: true });
      const { peer, socket } = await joinRawWebSocket(server);
      socket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
      void socket.join("room");

      peer.send('451-0["echo",{"a":{"_placeholder":true,"num":0}}]');
      peer.send(new Uint8Array([1]));
      expect(await peer.frames.take(2)).toEqual(['461-0[{"a":{"_placeholder":true,"num":0}}]', new Uint8Array([1])]);
      server.io.to("room").emit("broadcast", { b: 1 });
      expect(await peer.next()).toBe('42["broadcast",{"b":1}]');
      const { peer: polling } = await joinRawPolling(server);
      expect((await polling.post("41")).body).toBe("ok");
    } finally {
      delete polluted.pollution;
    }
  });

  it("takes integers for event names", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);

    const received = new Promise<unknown[]>((resolve) => socket.onAny((...args) => resolve(args)));
    peer.send('42[5,"x"]');

    expect(await received).toEqual([5, "x"]);
  });

  it("lets a client leave a namespace without a reply and join it again", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent(socket, "disconnect");

    peer.send("41");
    expect((await left)[0]).toBe("client namespace disconnect");
    peer.send("40");

    const reply = String(await peer.next());
    expect(reply).toMatch(connectReply);
    expect(reply).not.toContain(socket.id);
  });

  it("appends an offset to events and tells the session secret when recovery is on", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { peer, socket, reply } = await joinRawWebSocket(server);

    expect(reply).toMatch(/^40\{"sid":"[\w-]{20}","pid":"[\w.-]{20,27}"\}$/);
    socket.emit("direct", 1);
    expect(await peer.next()).toMatch(/^42\["direct",1,"[\w.-]+"\]$/);
    server.io.emit("broadcast");
    expect(await peer.next()).toMatch(/^42\["broadcast","[\w.-]+"\]$/);
    socket.emit("question", () => undefined);
    expect(await peer.next()).toMatch(/^42\d+\["question"\]$/);
  });
});
