import { describe, expect, it } from "vitest";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Socket } from "@plugboard/server";
import { connectClient } from "../support/connect-client.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";
import { joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { serve } from "../support/serve.js";

const MEGABYTE = 1_000_000;

/** The socket of the server with what only ours has. */
const ours = (socket: InteropSocket): Socket => socket as unknown as Socket;

/** A websocket that has joined and reads nothing more. */
async function joinDeaf(
  server: ListeningServer,
): Promise<{ peer: Awaited<ReturnType<typeof joinRawWebSocket>>["peer"]; socket: Socket }> {
  const { peer, socket } = await joinRawWebSocket(server);
  peer.socket.pause();
  return { peer, socket: ours(socket) };
}

/** Sends events of a megabyte, a turn for each, until so much waits or the socket is gone. */
async function sendUntil(socket: Socket, bytes: number): Promise<void> {
  const megabyte = "x".repeat(MEGABYTE);
  while (socket.connected && socket.bufferedAmount < bytes) {
    socket.emit("news", megabyte);
    await nextTurn();
  }
}

describe("maxBufferedBytes", () => {
  it("ends the connection of a websocket that does not read, and of nobody else", async () => {
    const server = await serve({ maxBufferedBytes: 4 * MEGABYTE });
    const bystander = await connectClient(server.url);
    const { socket } = await joinDeaf(server);
    const left = nextEvent<[string, Error & { description: string }]>(socket, "disconnect");
    await sendUntil(socket, Infinity);
    const [reason, description] = await left;
    expect(reason).toBe("transport error");
    expect(description).toMatchObject({ message: "slow consumer" });
    expect(description.description).toMatch(/^\d+ bytes in \d+ packets waiting$/);
    expect(bystander.connected).toBe(true);
  });

  it("ends the session of a polling client that does not poll", async () => {
    const server = await serve({ maxBufferedBytes: 4 * MEGABYTE });
    const { peer, socket } = await joinRawPolling(server);
    const left = nextEvent<[string]>(socket, "disconnect");
    await sendUntil(ours(socket), Infinity);
    expect((await left)[0]).toBe("transport error");
    expect((await peer.poll()).status).toBe(400);
  });

  it("is 64 MiB unless it is set", async () => {
    const server = await serve();
    const { socket } = await joinRawPolling(server);
    const left = nextEvent<[string, { description: string }]>(socket, "disconnect");
    let waiting = 0;
    while (socket.connected) {
      waiting = ours(socket).bufferedAmount;
      socket.emit("news", "x".repeat(MEGABYTE));
    }
    await left;
    expect(waiting).toBeGreaterThan(63 * 2 ** 20);
    expect(waiting).toBeLessThanOrEqual(64 * 2 ** 20);
  });
});

describe("maxBufferedPackets", () => {
  it("ends the session of a client that takes none", async () => {
    const server = await serve({ maxBufferedPackets: 100 });
    const { socket } = await joinRawPolling(server);
    const left = nextEvent<[string, { description: string }]>(socket, "disconnect");
    for (let count = 0; count < 101; count++) socket.emit("news", count);
    const [reason, { description }] = await left;
    expect(reason).toBe("transport error");
    expect(description).toMatch(/ in 101 packets waiting$/);
  });
});

describe("the slow consumer policy", () => {
  it("pause reads nothing from the client beyond the limit, and goes on when half of it has left", async () => {
    const server = await serve({ slowConsumer: "pause", maxBufferedBytes: 4 * MEGABYTE });
    const { peer, socket } = await joinDeaf(server);
    await sendUntil(socket, 5 * MEGABYTE);
    const asked = nextEvent(socket, "question");
    let wasAsked = false;
    void asked.then(() => (wasAsked = true));
    peer.send('42["question"]');
    // Several round trips of somebody else.
    await connectClient(server.url);
    expect(wasAsked).toBe(false);
    peer.socket.resume();
    await asked;
    expect(socket.connected).toBe(true);
  });

  it.each(["pause", "drop volatile"] as const)("%s ends the connection at twice the limit", async (slowConsumer) => {
    const server = await serve({ slowConsumer, maxBufferedBytes: 2 * MEGABYTE });
    const { socket } = await joinDeaf(server);
    const left = nextEvent<[string, { description: string }]>(socket, "disconnect");
    await sendUntil(socket, 3 * MEGABYTE);
    expect(socket.connected).toBe(true);
    await sendUntil(socket, Infinity);
    const [reason, { description }] = await left;
    expect(reason).toBe("transport error");
    expect(Number.parseInt(description, 10)).toBeGreaterThan(4 * MEGABYTE);
  });

  it.each(["disconnect", "pause", "drop volatile"] as const)(
    "%s lets volatile messages wait for nobody",
    async (slowConsumer) => {
      const server = await serve({ slowConsumer, maxBufferedBytes: 4 * MEGABYTE });
      const { socket } = await joinDeaf(server);
      await sendUntil(socket, MEGABYTE);
      const waiting = socket.bufferedAmount;
      for (let count = 0; count < 100; count++) socket.volatile.emit("news", "x".repeat(MEGABYTE));
      expect(socket.bufferedAmount).toBe(waiting);
      expect(socket.connected).toBe(true);
    },
  );
});

describe("what waits for a client", () => {
  it("is told by bufferedAmount, and drained() resolves when it has left", async () => {
    const server = await serve();
    const { peer, socket } = await joinDeaf(server);
    expect(socket.bufferedAmount).toBe(0);
    await socket.drained();
    await sendUntil(socket, 2 * MEGABYTE);
    let isDrained = false;
    const drained = socket.drained().then(() => (isDrained = true));
    await nextTurn();
    expect(isDrained).toBe(false);
    peer.socket.resume();
    await drained;
    expect(socket.bufferedAmount).toBe(0);
  });

  it("is no longer waited for once the connection is over", async () => {
    const server = await serve();
    const { peer, socket } = await joinDeaf(server);
    await sendUntil(socket, 2 * MEGABYTE);
    const drained = socket.drained();
    peer.socket.terminate();
    await drained;
  });

  it("holds no more than a mebibyte of answers to WebSocket pings", async () => {
    const server = await serve();
    const { peer, socket } = await joinDeaf(server);
    // An answer takes nearly as much as its question, and the system takes some before they wait here.
    for (let count = 0; count < 80_000; count++) peer.socket.ping("x".repeat(125));
    const heard = nextEvent(socket, "done");
    peer.send('42["done"]');
    await heard;
    expect(socket.bufferedAmount).toBeGreaterThan(MEGABYTE / 2);
    expect(socket.bufferedAmount).toBeLessThan(1.1 * MEGABYTE);
  });
});
