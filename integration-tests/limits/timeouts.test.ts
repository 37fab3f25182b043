import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AbusiveSession, AbusiveWebSocket, requestBytes } from "../support/abusive-client.js";
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

/** The server cuts this connection when another second has passed, and not before. */
async function expectCutInASecond(connection: RawConnection): Promise<void> {
  const ended = connection.rest();
  vi.advanceTimersByTime(990);
  expect(connection.socket.readableEnded).toBe(false);
  vi.advanceTimersByTime(20);
  await ended;
}

it("gives an upgrade 10 s, and the candidate a second more to answer the close frame", async () => {
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
  await expectCutInASecond(candidate);
  candidate.socket.destroy();
  await session.expectAlive();
});

it.each([
  ["that says something else than a probe", "4too early"],
  ["of a session that is being upgraded already", undefined],
])("gives a candidate %s a second to answer the close frame", async (_which, text) => {
  const server = await serve();
  const session = await (await AbusiveSession.open(server.port)).join();
  const candidates = [await RawConnection.open(server.port), await RawConnection.open(server.port)] as const;
  const [first, second] = candidates;
  expect(await first.upgrade(enginePath("websocket", session.sid))).toBe(101);
  if (text === undefined) expect(await second.upgrade(enginePath("websocket", session.sid))).toBe(101);
  else first.sendText(text);
  const refused = text === undefined ? second : first;
  expect(await refused.nextText()).toBeUndefined();
  await expectCutInASecond(refused);
  for (const { socket } of candidates) socket.destroy();
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
    const ended = connection.rest();
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
    await expectCutInASecond(connection);
  });
});

it("ends a session at once when its client sends a close frame, and cuts the connection a second later", async () => {
  const server = await serve();
  const accepted = nextEvent<[Socket]>(server.webServer, "connection");
  await AbusiveWebSocket.use(server.port, "", async ({ connection }) => {
    const [serverSide] = await accepted;
    const [socket] = server.io.sockets.sockets.values();
    const left = new Promise((resolve) => socket?.once("disconnect", resolve));
    connection.sendCloseFrame();
    expect(await left).toBe("transport close");
    expect(await connection.nextText()).toBeUndefined();
    const cut = once(serverSide, "close");
    vi.advanceTimersByTime(990);
    expect(serverSide.destroyed).toBe(false);
    vi.advanceTimersByTime(20);
    await cut;
  });
});

it.each(["that was too long", "of a request that was refused"])(
  "cuts a body %s a second after its answer",
  async (which) => {
    const server = await serve({ maxHttpBufferSize: 100 });
    const session = await (await AbusiveSession.open(server.port)).join();
    const path = which === "that was too long" ? session.path : enginePath("polling", "unknown");
    const connection = await RawConnection.open(server.port);
    const timers = vi.getTimerCount();
    connection.write(requestBytes("POST", path, { "Content-Length": "1000" }) + "6".repeat(101));
    expect((await connection.nextAnswer()).status).toBeGreaterThanOrEqual(400);
    // The answer may be here before the server knows that it has left.
    while (vi.getTimerCount() === timers) await nextTurn();
    await expectCutInASecond(connection);
    connection.socket.destroy();
    await session.expectAlive();
  },
);

it("leaves the connection open when the body ends within that second", async () => {
  const server = await serve({ maxHttpBufferSize: 100 });
  const session = await (await AbusiveSession.open(server.port)).join();
  const connection = await RawConnection.open(server.port);
  connection.write(requestBytes("POST", session.path, { "Content-Length": "102" }) + "6".repeat(101));
  expect((await connection.nextAnswer()).status).toBe(413);
  connection.write("6");
  expect(await connection.request("POST", session.path, "6")).toEqual({ status: 200, body: "ok" });
  vi.advanceTimersByTime(2000);
  expect(await connection.request("POST", session.path, "6")).toEqual({ status: 200, body: "ok" });
  connection.socket.destroy();
  await session.expectAlive();
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
