import { expect, it, vi } from "vitest";
import { stopTimers } from "../support/fake-clock.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { connectReply, joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { openRawWebSocket } from "../support/raw-session.js";

interopSuite("violations of the protocol on the wire", ({ startServer, oursOnly }) => {
  it.each([
    { packet: "42{}", why: "an event that is no array" },
    { packet: "42[]", why: "an event without a name" },
    { packet: "42[true]", why: "a name that is no text" },
    { packet: "42[null]", why: "a name that is null" },
    { packet: '42[{"toString":"x"}]', why: "a name that is an object" },
    { packet: '42["connect"]', why: "a reserved name" },
    { packet: '42["disconnecting"]', why: "another reserved name" },
    { packet: '42abc["x"]', why: "an ack id that is no number" },
    { packet: '42["x"', why: "broken JSON" },
    { packet: "4abc", why: "an unknown type" },
    { packet: "4", why: "an empty message" },
    { packet: "47", why: "a type that does not exist" },
    { packet: '41["x"]', why: "a disconnect with data" },
    { packet: "431{}", why: "an ack that is no array" },
    { packet: '45["x"]', why: "a binary event without a count" },
    { packet: '450-["x"]', why: "a binary event without attachments" },
    { packet: '4511-["x"]', why: "too many attachments" },
    { packet: "40", why: "a second CONNECT" },
    { packet: '42/other,["x"]', why: "an event for a namespace it did not join" },
    { packet: '44"x"', why: "a CONNECT_ERROR" },
  ])("closes a connection that sends $why", async ({ packet }) => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent<[string]>(socket, "disconnect");
    const seen = vi.fn();
    socket.onAny(seen);

    peer.send(packet);

    expect((await left)[0]).toMatch(/^forced (server )?close$/);
    await peer.closed;
    expect(seen).not.toHaveBeenCalled();
  });

  it.each([
    { frames: ['451-["x",{"_placeholder":true,"num":0}]', '42["y"]'], why: "text in the place of an attachment" },
    { frames: [new Uint8Array([1])], why: "an attachment that was not announced" },
    { frames: ['451-["x",{"_placeholder":true,"num":1}]', new Uint8Array([1])], why: "a placeholder out of range" },
    {
      frames: ['451-["x",{"_placeholder":true,"num":"splice"}]', new Uint8Array([1])],
      why: "a placeholder that is no number",
    },
  ])("closes a connection that sends $why", async ({ frames }) => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    const failed = nextEvent(socket, "error");
    const left = nextEvent<[string]>(socket, "disconnect");

    for (const frame of frames) peer.send(frame);

    expect((await failed)[0]).toBeInstanceOf(Error);
    expect((await left)[0]).toBe("forced close");
    await peer.closed;
  });

  it.each(['42["early"]', "41", '430["early"]', "40[]", "40true", "abc"])(
    "closes a connection that begins with %s",
    async (packet) => {
      const server = await startServer();
      const connected = vi.fn();
      server.io.on("connection", connected);
      const { peer } = await openRawWebSocket(server);

      peer.send(packet);
      await peer.closed;

      expect(connected).not.toHaveBeenCalled();
    },
  );

  it.each(["40", '42/other,["early"]', "4abc"])("ends a polling session that sends %s in order", async (packet) => {
    const server = await startServer();
    const { peer, socket } = await joinRawPolling(server);

    await peer.post(packet);

    expect((await peer.poll()).body).toBe("6\x1e1");
    expect((await peer.poll()).status).toBe(400);
    expect(socket.connected).toBe(false);
  });

  it("closes a connection that speaks before its CONNECT was answered", async () => {
    const server = await startServer();
    const connected = vi.fn();
    server.io.on("connection", connected);
    const waiting = new Promise<() => void>((resolve) => server.io.use((_socket, next) => resolve(next)));
    const { peer } = await openRawWebSocket(server);

    peer.send("40");
    const next = await waiting;
    peer.send('42["early"]');
    await peer.closed;
    next();
    await new Promise((resolve) => setImmediate(resolve));

    expect(connected).not.toHaveBeenCalled();
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  it("closes a connection that joins nothing in time", async () => {
    stopTimers();
    const server = await startServer({ connectTimeout: 10_000 });
    const { peer } = await openRawWebSocket(server);
    peer.send("40/unknown");
    expect(await peer.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
    vi.advanceTimersByTime(10_000);

    expect(await peer.closed).toBe(1005);
  });

  it("takes a client back that left its last namespace", async () => {
    const server = await startServer();
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent(socket, "disconnect");
    peer.send("41");
    await left;
    peer.send("40");
    expect(await peer.next()).toMatch(connectReply);
  });

  oursOnly("ends a connection that left its last namespace long ago", "there it stays open for ever", async () => {
    stopTimers();
    const server = await startServer({ connectTimeout: 10_000 });
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent(socket, "disconnect");
    peer.send("41");
    await left;
    vi.advanceTimersByTime(10_000);
    expect(await peer.closed).toBe(1005);
  });

  oursOnly("makes one socket of two CONNECTs for the same namespace", "there it makes two", async () => {
    const server = await startServer();
    const waiting: (() => void)[] = [];
    const first = new Promise<void>((resolve) => {
      server.io.use((_socket, next) => {
        waiting.push(next);
        resolve();
      });
    });
    const { peer } = await openRawWebSocket(server);

    peer.send("40");
    await first;
    peer.send("40");
    peer.send("40/unknown,");
    await Promise.race([peer.closed, peer.next()]);
    for (const next of waiting) next();
    await new Promise((resolve) => setImmediate(resolve));

    expect(waiting).toHaveLength(1);
    expect(server.io.sockets.sockets.size).toBeLessThanOrEqual(1);
  });
});
