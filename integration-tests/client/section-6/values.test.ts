import { expect, it } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite, singleTransports, travels } from "../support/client-suite.js";

type Reply = (...answer: unknown[]) => void;

clientSuite("values", ({ client, startServer, open, connect, connectPair }) => {
  it.each(travels)(
    "1: delivers what was emitted before it was connected, though it listens to nothing, over %s",
    async (travel) => {
      const server = await startServer();
      const received = new Promise((resolve) => {
        server.io.on("connection", (peer: InteropSocket) => {
          peer.on("second", (...args: unknown[]) => resolve(args));
        });
      });
      const socket = open(server.url, { travel });

      socket.emit("first", 1);
      socket.emit("second", 2);

      expect(await received).toEqual([2]);
    },
  );

  it("5: answers an event of the server with several values of several kinds", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    socket.on("question", (value: unknown, reply: Reply) => reply(value, "text", { a: [1, null] }, Buffer.from([2])));

    const answer = await new Promise((resolve) => {
      peer.emit("question", 42, (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([42, "text", { a: [1, null] }, Buffer.from([2])]);
  });

  it("6: sends dates as text and false as false, in events, inside of objects and in answers", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const date = new Date(1e12);
    const text = "2001-09-09T01:46:40.000Z";
    socket.on("question", (reply: Reply) => reply(date, false, { date }));

    const received = nextEvent(peer, "event");
    socket.emit("event", date, { nested: [date, false] }, false);
    expect(await received).toEqual([text, { nested: [text, false] }, false]);
    const answer = await new Promise((resolve) => {
      peer.emit("question", (...args: unknown[]) => resolve(args));
    });
    expect(answer).toEqual([text, false, { date: text }]);
  });

  it.each(singleTransports)("7: exchanges text of several bytes a character over %s", async (travel) => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => {
      peer.on("echo", (...args: unknown[]) => peer.emit("echo", ...args));
    });
    const texts = ["ääää", "äöüß", "€uro 日本語", "\u{1F600}\u{1F1EA}", "\u{2028}\u{7f}\u{80}"];
    const socket = await connect(server.url, { travel });
    const received: unknown[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on("echo", (text: string) => received.push(text) === texts.length && resolve());
    });

    for (const text of texts) socket.emit("echo", text);
    await all;

    expect(received).toEqual(texts);
  });

  it("26: hands bytes over as its engine was told to, after the upgrade as well", async () => {
    const server = await startServer();
    const socket = open(server.url, { travel: "upgrade" });
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    socket.io.engine.binaryType = "arraybuffer";
    const [peer] = await accepted;
    const first = nextEvent(socket, "bytes");
    const upgraded = Promise.all([nextEvent(peer.conn, "upgrade"), nextEvent(socket.io.engine, "upgrade")]);

    peer.emit("bytes", Buffer.from([1, 2]));
    expect((await first)[0]).toStrictEqual(Uint8Array.of(1, 2).buffer);

    await upgraded;
    expect(socket.io.engine.transport.name).toBe("websocket");
    const second = nextEvent(socket, "bytes");
    peer.emit("bytes", Buffer.from([3, 4]));
    expect((await second)[0]).toStrictEqual(Uint8Array.of(3, 4).buffer);
  });

  it.each(singleTransports)("26: hands bytes over as Buffers unless told otherwise, over %s", async (travel) => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, { travel });
    const received = nextEvent(socket, "bytes");

    peer.emit("bytes", Buffer.from([1, 2]));

    expect((await received)[0]).toStrictEqual(Buffer.from([1, 2]));
  });

  it.each(singleTransports)(
    "27: keeps an event with bytes in front of the text that follows it, over %s",
    async (travel) => {
      const server = await startServer();
      const { socket, peer } = await connectPair(server, { travel });
      const received: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        peer.onAny((...args: unknown[]) => received.push(args) === 3 && resolve());
      });

      socket.emit("bytes", { data: Buffer.from("foo bar") });
      socket.emit("text", "foo bar");
      socket.emit("bytes", Uint8Array.of(1).buffer, Uint16Array.of(0x0202));
      await all;

      expect(received).toEqual([
        ["bytes", { data: Buffer.from("foo bar") }],
        ["text", "foo bar"],
        ["bytes", Buffer.from([1]), Buffer.from([2, 2])],
      ]);
    },
  );

  for (const travel of singleTransports) {
    it(`27: keeps a Blob in front of the text that follows it, over ${travel}`, async () => {
      // In Node only ours takes Blobs; in browsers both do.
      const server = await startServer();
      const { socket, peer } = await connectPair(server, { travel });
      const received: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        peer.onAny((...args: unknown[]) => received.push(args) === 2 && resolve());
      });

      socket.emit("bytes", client.ours ? { data: new Blob(["foo"]) } : { data: Buffer.from("foo") });
      socket.emit("text", "bar");
      await all;

      expect(received).toEqual([
        ["bytes", { data: Buffer.from("foo") }],
        ["text", "bar"],
      ]);
    });
  }
});
