import { describe, expect, it, vi } from "vitest";
import type { ConnectionStateRecoveryOptions } from "@plugboard/server";
import { nextEvent } from "../support/next-event.js";
import { openRawWebSocket } from "../support/raw-session.js";
import type { ListeningServer } from "../support/listening-server.js";
import { serve } from "../support/serve.js";

interface Lost {
  readonly sid: string;
  readonly auth: { readonly pid: string; readonly offset: string };
}

const start = (connectionStateRecovery: ConnectionStateRecoveryOptions): Promise<ListeningServer> =>
  serve({ connectionStateRecovery });

async function connect(
  server: ListeningServer,
  auth?: object,
): Promise<{ packets: string[]; sid: string; pid: string; cut(): void }> {
  const { peer } = await openRawWebSocket(server);
  peer.send(auth === undefined ? "40" : `40${JSON.stringify(auth)}`);
  const packets: string[] = [];
  for (;;) {
    const packet = String(await peer.next());
    if (!packet.startsWith("40")) {
      packets.push(packet);
      continue;
    }
    const ids = JSON.parse(packet.slice(2)) as { sid: string; pid: string };
    return { packets, ...ids, cut: () => peer.socket.terminate() };
  }
}

/** A client that has got some events for it alone, and has lost its connection. */
async function lose(server: ListeningServer, events = 1): Promise<Lost> {
  const { peer } = await openRawWebSocket(server);
  peer.send("40");
  const { sid, pid } = JSON.parse(String(await peer.next()).slice(2)) as { sid: string; pid: string };
  const socket = server.io.sockets.sockets.get(sid)!;
  for (let count = 0; count < events; count++) socket.emit("mine");
  const offset = (JSON.parse(String(await peer.next()).slice(2)) as string[]).at(-1)!;
  const left = nextEvent(socket, "disconnect");
  peer.socket.terminate();
  await left;
  return { sid, auth: { pid, offset } };
}

describe("connection state recovery", () => {
  it("takes a client that comes back within the bounds for the same socket", async () => {
    const server = await start({});
    const lost = await lose(server);
    server.io.emit("missed");
    const back = await connect(server, lost.auth);
    expect(back.sid).toBe(lost.sid);
    expect(back.packets).toEqual([expect.stringMatching(/^42\["missed","/)]);
  });

  it("keeps maxStoredPackets: who has missed more comes back as a new socket", async () => {
    const server = await start({ maxStoredPackets: 10 });
    const [early, late] = [await lose(server), await lose(server)];
    for (let count = 0; count < 8; count++) server.io.emit("missed");
    expect((await connect(server, late.auth)).sid).toBe(late.sid);
    for (let count = 0; count < 10; count++) server.io.emit("missed");
    expect((await connect(server, early.auth)).sid).not.toBe(early.sid);
  });

  it("keeps maxStoredBytes: who has missed more comes back as a new socket", async () => {
    const server = await start({ maxStoredBytes: 10_000 });
    const [early, late] = [await lose(server), await lose(server)];
    server.io.emit("missed", "x".repeat(4000));
    expect((await connect(server, late.auth)).sid).toBe(late.sid);
    server.io.emit("missed", Buffer.alloc(6000));
    expect((await connect(server, early.auth)).sid).not.toBe(early.sid);
  });

  it("keeps maxStoredSessions: the client that left first comes back as a new socket", async () => {
    const server = await start({ maxStoredSessions: 2 });
    const [first, second, third] = [await lose(server), await lose(server), await lose(server)];
    expect((await connect(server, first.auth)).sid).not.toBe(first.sid);
    expect((await connect(server, second.auth)).sid).toBe(second.sid);
    expect((await connect(server, third.auth)).sid).toBe(third.sid);
  });

  it("keeps a tenth of its store for one socket: one that was sent more comes back as a new socket", async () => {
    const server = await start({ maxStoredPackets: 50 });
    const modest = await lose(server, 5);
    const greedy = await lose(server, 6);
    expect((await connect(server, modest.auth)).sid).toBe(modest.sid);
    expect((await connect(server, greedy.auth)).sid).not.toBe(greedy.sid);
  });

  it("ends after maxDisconnectionDuration: the client comes back as a new socket", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const server = await start({});
      const [a, b] = [await lose(server), await lose(server)];
      vi.setSystemTime(Date.now() + 119_000);
      expect((await connect(server, a.auth)).sid).toBe(a.sid);
      vi.setSystemTime(Date.now() + 2_000);
      expect((await connect(server, b.auth)).sid).not.toBe(b.sid);
    } finally {
      vi.useRealTimers();
    }
  });

  it("has defaults for its stores", async () => {
    const { io } = await start({});
    expect((io as unknown as { opts: object }).opts).toMatchObject({
      connectionStateRecovery: {
        maxDisconnectionDuration: 120_000,
        maxStoredBytes: 64 * 2 ** 20,
        maxStoredPackets: 10_000,
        maxStoredSessions: 10_000,
      },
    });
  });
});
