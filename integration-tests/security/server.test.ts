import { Server } from "@plugboard/server";
import { afterEach, expect, it, vi } from "vitest";
import { connectClient } from "../support/connect-client.js";
import { stopTimers } from "../support/fake-clock.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";
import { joinRawWebSocket } from "../support/raw-namespace.js";
import { endpoint, openRawWebSocket } from "../support/raw-session.js";
import { serve } from "../support/serve.js";

interface Ids {
  readonly sid: string;
  readonly pid: string;
}

const idsIn = (reply: unknown): Ids => JSON.parse(String(reply).slice(2)) as Ids;

afterEach(() => {
  vi.restoreAllMocks();
});

it("CVE-2017-16031: ids of sessions, sockets and recovery come from the cryptographic generator", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  vi.spyOn(Date, "now").mockReturnValue(0);
  const server = await serve({ connectionStateRecovery: {} });
  const ids: string[] = [];
  for (let count = 0; count < 50; count++) {
    const { peer, handshake } = await openRawWebSocket(server);
    peer.send("40");
    const { sid, pid } = idsIn(await peer.next());
    ids.push((JSON.parse(handshake.slice(1)) as Ids).sid, sid, pid);
  }
  // After the dot of a recovery id stands what is no secret: how the offsets begin.
  for (const id of ids) expect(id).toMatch(/^[\w-]{20}(\.[\w-]{6})?$/);
  // Eleven bytes are random, the others a counter. Ids that tell of one another would have some of the eleven in common.
  const bytes = ids.map((id) => Buffer.from(id, "base64url").subarray(0, 11));
  for (let place = 0; place < 11; place++) {
    expect(new Set(bytes.map((all) => all[place])).size).toBeGreaterThan(60);
  }
});

it("CVE-2020-28481: no other origin is let in unless it was asked for", async () => {
  const server = await serve();
  const headers = { origin: "http://elsewhere.example" };
  const query = "?EIO=4&transport=polling";
  for (const [path, method] of [
    [query, "GET"],
    [query, "OPTIONS"],
    ["?EIO=4", "GET"],
    ["socket.io.js", "GET"],
  ] as const) {
    const response = await fetch(endpoint(server) + path, { method, headers });
    await response.arrayBuffer();
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  }
});

it("CVE-2024-38355: an error that nobody listens for ends neither the process nor anybody else", async () => {
  const server = await serve();
  server.io.of("/strict").on("connection", (socket) => socket.use((_event, next) => next(new Error("no"))));
  const bystander = await connectClient(server.url);
  for (const [namespace, packet] of [
    ["/", '42["error"]'],
    ["/", '42["error",{"message":"x"}]'],
    ["/", "4nonsense"],
    ["/strict", '42/strict,["x"]'],
  ] as const) {
    const { peer } = await joinRawWebSocket(server, namespace);
    peer.send(packet);
    peer.send("40/unknown,");
    if (packet === "4nonsense") await peer.closed;
    else expect(await peer.next()).toBe('44/unknown,{"message":"Invalid namespace"}');
  }
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent(socket, "disconnect");
    peer.send(`42["${name}"]`);
    expect((await left)[0]).toBe("forced close");
  }
  expect(bystander.connected).toBe(true);
});

it("gap: duplicate pending CONNECTs: the second one closes the connection, and no socket comes of either", async () => {
  const server = await serve();
  const waiting: Array<() => void> = [];
  server.io.use((_socket, next) => waiting.push(next));
  const { peer } = await openRawWebSocket(server);
  peer.send("40");
  peer.send("40");
  expect(await peer.closed).toBe(1005);
  expect(waiting).toHaveLength(1);
  waiting[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.io.sockets.sockets.size).toBe(0);
});

/** Joins, gets one event, and leaves: by packet, or by losing the connection. */
async function joinForAWhile(
  server: ListeningServer,
  auth: object = {},
): Promise<{ sid: string; auth: object; leave(packet?: string): Promise<void> }> {
  const { peer } = await openRawWebSocket(server);
  peer.send(`40${JSON.stringify(auth)}`);
  const { sid, pid } = idsIn(await peer.next());
  const socket = server.io.sockets.sockets.get(sid)!;
  socket.emit("x");
  const [, offset] = JSON.parse(String(await peer.next()).slice(2)) as string[];
  const leave = async (packet?: string): Promise<void> => {
    const left = nextEvent(socket, "disconnect");
    if (packet === undefined) peer.socket.terminate();
    else peer.send(packet);
    await left;
  };
  return { sid, auth: { pid, offset }, leave };
}

it("gap: replayable recovery sessions: a session is restored once, and not after the client has left", async () => {
  const server = await serve({ connectionStateRecovery: {} });
  const lost = await joinForAWhile(server);
  await lost.leave();
  const back = await joinForAWhile(server, lost.auth);
  expect(back.sid).toBe(lost.sid);
  expect((await joinForAWhile(server, lost.auth)).sid).not.toBe(lost.sid);
  await back.leave("41");
  expect((await joinForAWhile(server, back.auth)).sid).not.toBe(lost.sid);
});

it("gap: unbounded stored packets: the oldest go, and who has missed one of them begins anew", async () => {
  const server = await serve({ connectionStateRecovery: {} });
  const lost = await joinForAWhile(server);
  await lost.leave();
  for (let count = 0; count < 10_000; count++) server.io.emit("missed");
  expect((await joinForAWhile(server, lost.auth)).sid).not.toBe(lost.sid);
});

it("gap: unlimited namespaces per client: the 501st is refused", async () => {
  const server = await serve();
  for (let count = 0; count <= 500; count++) server.io.of(`/n${count}`);
  const { peer } = await openRawWebSocket(server);
  for (let count = 0; count <= 500; count++) {
    peer.send(`40/n${count},`);
    expect(String(await peer.next())).toMatch(count < 500 ? '{"sid"' : "SIO_TOO_MANY_NAMESPACES");
  }
});

it("gap: dynamic namespaces per pattern: names beyond the limit are refused", async () => {
  const server = await serve({ maxDynamicNamespaces: 2 });
  server.io.of(/^\/n\d+$/);
  const { peer } = await openRawWebSocket(server);
  for (const [name, reply] of [
    ["/n0", "sid"],
    ["/n1", "sid"],
    ["/n2", "SIO_TOO_MANY_NAMESPACES"],
  ] as const) {
    peer.send(`40${name},`);
    expect(String(await peer.next())).toContain(reply);
  }
});

it("gap: connection idle after leaving all namespaces: it is closed as if it had joined none", async () => {
  stopTimers();
  const server = await serve({ connectTimeout: 10_000 });
  const { peer, socket } = await joinRawWebSocket(server);
  const left = nextEvent(socket, "disconnect");
  peer.send("41");
  await left;
  vi.advanceTimersByTime(10_000);
  expect(await peer.closed).toBe(1005);
  expect(server.io.engine.clientsCount).toBe(0);
});

it("gap: io.close() without engine: resolves, and calls back", async () => {
  const callback = vi.fn();
  await new Server().close(callback);
  expect(callback).toHaveBeenCalledOnce();
});
