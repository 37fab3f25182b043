import type { Socket as TcpSocket } from "node:net";
import { expect, it, vi } from "vitest";
import type { RawWebSocketPeer } from "@plugboard/testkit";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";
import { openRawWebSocket, type EngineSession } from "../support/raw-session.js";

const closedBy = (session: EngineSession): Promise<[string, { message?: string; description?: unknown }?]> =>
  nextEvent(session, "close");
const tcpOf = (peer: RawWebSocketPeer): TcpSocket => (peer.socket as unknown as { _socket: TcpSocket })._socket;

interopSuite("websocket on the wire", ({ startServer }) => {
  it("sends a frame for each packet and binary without a type", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);

    session.send("hello");
    session.send(Buffer.from([1, 2, 3]));
    session.send(new Uint8Array([9, 8, 7, 6]).subarray(1, 3));
    session.send("");
    session.send("€");

    expect(await peer.frames.take(5)).toEqual(["4hello", new Uint8Array([1, 2, 3]), new Uint8Array([8, 7]), "4", "4€"]);
  });

  it("sends frames of each size of the length field", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const sizes = [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 200_000];

    for (const size of sizes) {
      session.send("x".repeat(size));
      session.send("é".repeat(size));
      session.send(Buffer.alloc(size, 7));
    }

    for (const size of sizes) {
      expect(await peer.next()).toBe(`4${"x".repeat(size)}`);
      expect(await peer.next()).toBe(`4${"é".repeat(size)}`);
      expect(Buffer.alloc(size, 7).equals((await peer.next()) as Uint8Array)).toBe(true);
    }
  });

  it("sends binary as base64 text to a client that asked for it", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server, "&b64=1");

    session.send(Buffer.from([1, 2, 3]));

    expect(await peer.next()).toBe("bAQID");
  });

  it("takes binary frames and base64 text for messages", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const packets: unknown[] = [];
    const seen = new Promise<void>((resolve) => {
      session.on("packet", (packet) => {
        packets.push(packet);
        if (packets.length === 1) resolve();
      });
    });

    peer.send("bAQID");
    await seen;

    expect(packets).toEqual([{ type: "message", data: Buffer.from([1, 2, 3]) }]);
  });

  it("pings with `2` and takes `3`, asked for or not", async () => {
    const server = await startServer({ pingInterval: 30, pingTimeout: 5000 });
    const { peer, session } = await openRawWebSocket(server);
    peer.send("3");

    for (let beat = 0; beat < 3; beat++) {
      expect(await peer.next()).toBe("2");
      const heartbeat = nextEvent(session, "heartbeat");
      peer.send("3");
      await heartbeat;
    }
    expect(session.readyState).toBe("open");
  });

  it("closes a connection without pongs", async () => {
    const server = await startServer({ pingInterval: 30, pingTimeout: 2000 });
    const { peer, session } = await openRawWebSocket(server);
    const closed = closedBy(session);

    expect(await peer.next()).toBe("2");

    expect((await closed)[0]).toBe("ping timeout");
    await peer.closed;
  });

  it("answers the pings of the websocket layer", async () => {
    const server = await startServer();
    const { peer } = await openRawWebSocket(server);

    const pong = nextEvent<[Buffer]>(peer.socket, "pong");
    peer.socket.ping("are you there");

    expect(String((await pong)[0])).toBe("are you there");
  });

  it.each(["", "abc", "8"])("closes a connection that sends %j", async (frame) => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const closed = closedBy(session);

    peer.send(frame);

    expect((await closed)[0]).toBe("parse error");
    await peer.closed;
  });

  it("closes a connection that sends a ping", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const closed = closedBy(session);

    peer.send("2");

    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toBe("invalid heartbeat direction");
    await peer.closed;
  });

  it("delivers what was sent before an orderly close and ends with an empty close frame", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const closed = closedBy(session);

    session.send("a");
    session.send("b");
    session.send("c");
    session.close();

    expect(await peer.frames.take(3)).toEqual(["4a", "4b", "4c"]);
    expect(await peer.closed).toBe(1005);
    expect((await closed)[0]).toBe("forced close");
  });

  it.each([
    { what: "a frame with invalid RSV bits", bytes: [0xf1, 0x80, 0, 0, 0, 0], message: /RSV2 and RSV3 must be clear/ },
    { what: "an unmasked frame", bytes: [0x81, 0x01, 0x33], message: /MASK must be set/ },
    { what: "an unknown opcode", bytes: [0x83, 0x80, 0, 0, 0, 0], message: /invalid opcode/ },
    { what: "text that is not UTF-8", bytes: [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], message: /invalid UTF-8/ },
  ])("ends a session that sends $what", async ({ bytes, message }) => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const closed = closedBy(session);

    tcpOf(peer).write(Buffer.from(bytes));

    const [reason, description] = await closed;
    expect(reason).toBe("transport error");
    expect(description?.message).toMatch(message);
    await peer.closed;
  });

  it("closes with 1009 what is larger than the limit", async () => {
    const server = await startServer({ maxHttpBufferSize: 5 });
    const { peer, session } = await openRawWebSocket(server);
    const packet = vi.fn();
    session.on("packet", packet);
    const closed = closedBy(session);

    peer.send("40/abc");

    expect(await peer.closed).toBe(1009);
    expect((await closed)[0]).toBe("transport error");
    expect(packet).not.toHaveBeenCalled();
  });

  it("tells when what was sent has left, in order", async () => {
    const server = await startServer();
    const { session } = await openRawWebSocket(server);
    const order: string[] = [];

    await new Promise<void>((resolve) => {
      session.send("a", undefined, () => order.push("a"));
      session.send("b", undefined, () => order.push("b"));
      session.send("c", undefined, () => resolve());
    });

    expect(order).toEqual(["a", "b"]);
  });

  it("shows the session its own packets and announces its flushes", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const log: unknown[] = [];
    session.on("packetCreate", ({ type, data, options }) => log.push(["packetCreate", type, data, options.compress]));
    session.on("flush", (batch: unknown[]) => log.push(["flush", batch.length]));
    server.io.engine.on("flush", (of: unknown) => log.push(["engine flush", of === session]));

    session.send("a", { compress: false });
    await peer.next();

    expect(log).toEqual([
      ["packetCreate", "message", "a", false],
      ["flush", 1],
      ["engine flush", true],
    ]);
  });

  it("shows pings among the packets it creates and pongs among those it gets", async () => {
    const server = await startServer({ pingInterval: 30, pingTimeout: 5000 });
    const { peer, session } = await openRawWebSocket(server);
    const created = nextEvent<[{ type: string }]>(session, "packetCreate");
    const received = nextEvent<[{ type: string }]>(session, "packet");

    expect(await peer.next()).toBe("2");
    peer.send("3");

    expect((await created)[0].type).toBe("ping");
    expect((await received)[0].type).toBe("pong");
  });

  it("delivers what is sent right before a close in the connection handler", async () => {
    const server = await startServer();
    server.io.engine.on("connection", (session: EngineSession) => {
      session.send("last words");
      session.close();
    });

    const { peer } = await openRawWebSocket(server);

    expect(await peer.next()).toBe("4last words");
    expect(await peer.closed).toBe(1005);
  });

  it("writes a frame that was encoded before as it is", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const frame = [Buffer.from([0x81, 4]), Buffer.from("4abc")];

    session.send("before");
    session.send("ignored", { wsPreEncodedFrame: frame } as object);
    session.send("after");

    expect(await peer.frames.take(3)).toEqual(["4before", "4abc", "4after"]);
  });

  it("encodes anew what was encoded before when messages are deflated", async () => {
    const server = await startServer({ perMessageDeflate: true });
    const { peer, session } = await openRawWebSocket(server);

    session.send("text", { wsPreEncodedFrame: [Buffer.from([0x81, 4]), Buffer.from("4abc")] } as object);

    expect(await peer.next()).toBe("4text");
  });

  it("tells apart compressed, uncompressed and broadcast packets when they are created", async () => {
    const server = await startServer();
    const { peer, session } = await openRawWebSocket(server);
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    peer.send("40");
    const [socket] = await accepted;
    const options: { compress: boolean; wsPreEncodedFrame?: Buffer[] }[] = [];
    session.on("packetCreate", (packet) => options.push(packet.options));

    socket.emit("direct");
    socket.compress(false).emit("plain");
    server.io.emit("broadcast");

    expect(options.map(({ compress }) => compress)).toEqual([true, false, true]);
    expect(Buffer.concat(options[2]?.wsPreEncodedFrame ?? [])).toEqual(
      Buffer.from('\x81\x0f42["broadcast"]', "latin1"),
    );
    expect(await peer.frames.take(4)).toEqual([
      expect.stringMatching(/^40/),
      '42["direct"]',
      '42["plain"]',
      '42["broadcast"]',
    ]);
  });
});
