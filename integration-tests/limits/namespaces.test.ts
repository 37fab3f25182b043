import { describe, expect, it, vi } from "vitest";
import type { RawWebSocketPeer } from "@plugboard/testkit";
import { connectClient, openClient } from "../support/connect-client.js";
import { stopTimers } from "../support/fake-clock.js";
import { nextEvent } from "../support/next-event.js";
import { joinRawWebSocket } from "../support/raw-namespace.js";
import { openRawWebSocket } from "../support/raw-session.js";
import { serve } from "../support/serve.js";

const REFUSAL = '{"message":"Too many namespaces","data":{"code":"SIO_TOO_MANY_NAMESPACES"}}';

/** Joins namespaces one after the other. */
async function join(peer: RawWebSocketPeer, names: readonly string[]): Promise<void> {
  for (const name of names) {
    peer.send(`40${name},`);
    expect(await peer.next()).toMatch(`40${name},{"sid"`);
  }
}

const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `/n${from + index}`);

describe("maxNamespacesPerClient", () => {
  it("is 500 unless it is set; more are refused, and what is joined stays", async () => {
    const server = await serve();
    server.io.of(/^\/n\d+$/);
    const { peer } = await openRawWebSocket(server);
    await join(peer, numbered(500));
    peer.send("40/n500,");
    expect(await peer.next()).toBe(`44/n500,${REFUSAL}`);
    peer.send("41/n0,");
    await join(peer, ["/n500"]);
  });

  it("reaches a stock client as connect_error with its code", async () => {
    const server = await serve({ maxNamespacesPerClient: 1 });
    server.io.of("/other");
    const client = await connectClient(server.url);
    const other = client.io.socket("/other");
    const [error] = await nextEvent<[Error & { data: unknown }]>(other, "connect_error");
    expect(error).toMatchObject({ message: "Too many namespaces", data: { code: "SIO_TOO_MANY_NAMESPACES" } });
    expect(client.connected).toBe(true);
  });
});

describe("maxPendingConnects", () => {
  it("is 100 unless it is set; more are refused until one is settled", async () => {
    const server = await serve();
    const waiting: (() => void)[] = [];
    server.io.of(/^\/n\d+$/).use((_socket, next) => waiting.push(next));
    const { peer } = await openRawWebSocket(server);
    for (const name of numbered(101)) peer.send(`40${name},`);
    expect(await peer.next()).toBe(`44/n100,${REFUSAL}`);
    expect(waiting).toHaveLength(100);
    waiting[0]?.();
    expect(await peer.next()).toMatch('40/n0,{"sid"');
    peer.send("40/n100,");
    await vi.waitUntil(() => waiting.length === 101, 20_000);
  });
});

describe("maxDynamicNamespaces", () => {
  it("refuses further names of a pattern, and lets in those who ask for names that are there", async () => {
    const server = await serve({ maxDynamicNamespaces: 3 });
    server.io.of(/^\/n\d+$/);
    server.io.of((name, _auth, decide) => decide(null, name.startsWith("/f")));
    const { peer } = await openRawWebSocket(server);
    await join(peer, numbered(3));
    peer.send("40/n3,");
    expect(await peer.next()).toBe(`44/n3,${REFUSAL}`);
    await join(peer, ["/f0"]);
    const other = openClient(`${server.url}/n2`);
    await nextEvent(other, "connect");
  });

  it("counts only those in use when empty ones are cleaned up", async () => {
    const server = await serve({ maxDynamicNamespaces: 2, cleanupEmptyChildNamespaces: true });
    server.io.of(/^\/n\d+$/);
    const { peer } = await openRawWebSocket(server);
    await join(peer, numbered(2));
    peer.send("41/n0,");
    await join(peer, numbered(1, 2));
    peer.send("40/n3,");
    expect(await peer.next()).toBe(`44/n3,${REFUSAL}`);
  });

  it("is 10,000 unless it is set", { timeout: 60_000 }, async () => {
    const noLimit = { maxNamespacesPerClient: Infinity, maxPendingConnects: Infinity, maxEventsPerSecond: Infinity };
    const server = await serve(noLimit);
    server.io.of(/^\/n\d+$/);
    const { peer } = await openRawWebSocket(server);
    for (const name of numbered(10_001)) peer.send(`40${name},`);
    const replies = await peer.frames.take(10_001);
    expect(replies.filter((reply) => String(reply).startsWith("40"))).toHaveLength(10_000);
    expect(replies).toContain(`44/n10000,${REFUSAL}`);
  });
});

describe("namespaces that were left", () => {
  it("are remembered for a late packet, and forgotten when there are more than 100", async () => {
    const server = await serve();
    server.io.of(/^\/n\d+$/);
    const { peer } = await joinRawWebSocket(server);
    await join(peer, ["/n0"]);
    const [first] = server.io.of("/n0").sockets.values();
    first?.disconnect();
    expect(await peer.next()).toBe("41/n0,");
    // On its way when the server decided.
    peer.send('42/n0,["late"]');
    for (const name of numbered(100, 1)) {
      await join(peer, [name]);
      peer.send(`41${name},`);
    }
    await join(peer, ["/n200"]);
    peer.send('42/n0,["far too late"]');
    expect(await peer.closed).toBe(1005);
  });
});

describe("connectTimeout", () => {
  it("ends a connection that has left its last namespace for that long", async () => {
    stopTimers();
    const server = await serve({ connectTimeout: 10_000 });
    const { peer, socket } = await joinRawWebSocket(server);
    const left = nextEvent(socket, "disconnect");
    peer.send("41");
    await left;
    vi.advanceTimersByTime(10_000);
    expect(await peer.closed).toBe(1005);
  });
});
