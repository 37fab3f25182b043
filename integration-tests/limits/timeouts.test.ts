import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AbusiveSession, AbusiveWebSocket } from "../support/abusive-client.js";
import { nextEvent } from "../support/next-event.js";
import { joinRawPolling } from "../support/raw-namespace.js";
import { RawConnection, enginePath } from "../support/raw-connection.js";
import { serve } from "../support/serve.js";

// Sockets are real; the timers of the servers are not, since the defaults are long.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

it("ends a session that does not answer a ping within 20 s, which comes after 25 s", async () => {
  const server = await serve();
  const { socket } = await joinRawPolling(server);
  const left = new Promise((resolve) => socket.once("disconnect", resolve));
  vi.advanceTimersByTime(44_990);
  expect(socket.connected).toBe(true);
  vi.advanceTimersByTime(20);
  expect(await left).toBe("ping timeout");
});

it("closes a connection that joins no namespace within 45 s", async () => {
  const server = await serve({ pingInterval: 100_000 });
  await AbusiveWebSocket.use(server.port, undefined, async (websocket) => {
    vi.advanceTimersByTime(44_990);
    expect(server.io.engine.clientsCount).toBe(1);
    vi.advanceTimersByTime(20);
    expect(await websocket.closeCode()).toBe(1005);
    expect(server.io.engine.clientsCount).toBe(0);
  });
});

it("gives an upgrade 10 s", async () => {
  const server = await serve();
  const session = await (await AbusiveSession.open(server.port)).join();
  const upgrading = nextEvent(server.io.sockets.sockets.values().next().value!.conn, "upgrading");
  const candidate = await RawConnection.open(server.port);
  expect(await candidate.upgrade(enginePath("websocket", session.sid))).toBe(101);
  candidate.sendText("2probe");
  await upgrading;
  expect(await candidate.nextText()).toBe("3probe");
  vi.advanceTimersByTime(10_010);
  expect(await candidate.nextText()).toBeUndefined();
  candidate.socket.destroy();
  await session.expectAlive();
});

it("waits 30 s for the poll that takes an orderly close along", async () => {
  const server = await serve({ pingInterval: 100_000 });
  const { peer, socket } = await joinRawPolling(server);
  const left = new Promise((resolve) => socket.once("disconnect", resolve));
  socket.conn.close();
  vi.advanceTimersByTime(29_990);
  expect(socket.connected).toBe(true);
  vi.advanceTimersByTime(20);
  expect(await left).toBe("forced close");
  expect((await peer.poll()).status).toBe(400);
});

it("waits 30 s for the answer to the close frame of an orderly close, and then cuts the connection", async () => {
  const server = await serve();
  await AbusiveWebSocket.use(server.port, "", async ({ connection }) => {
    const [socket] = server.io.sockets.sockets.values();
    socket?.conn.close();
    expect(await connection.nextText()).toBeUndefined();
    const ended = once(connection.socket, "end");
    vi.advanceTimersByTime(29_990);
    expect(connection.socket.readableEnded).toBe(false);
    vi.advanceTimersByTime(20);
    await ended;
  });
});

it("waits a second for the answer to the close frame of a session that is over", async () => {
  const server = await serve({ pingInterval: 100, pingTimeout: 100 });
  await AbusiveWebSocket.use(server.port, "", async ({ connection }) => {
    vi.advanceTimersByTime(110);
    vi.advanceTimersByTime(110);
    expect(await connection.nextText()).toBe("2");
    expect(await connection.nextText()).toBeUndefined();
    const ended = once(connection.socket, "end");
    vi.advanceTimersByTime(990);
    expect(connection.socket.readableEnded).toBe(false);
    vi.advanceTimersByTime(20);
    await ended;
  });
});

it("ends an upgrade that is nobody's after a second", async () => {
  const server = await serve();
  const connection = await RawConnection.open(server.port);
  connection.write("GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  // No listener can tell: it would count as one that takes the upgrade.
  while (vi.getTimerCount() === 0) await nextTurn();
  vi.advanceTimersByTime(1010);
  expect(await connection.rest()).toBe("");
  connection.socket.destroy();
});
