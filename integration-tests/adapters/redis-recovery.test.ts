import { RawWebSocketPeer } from "@plugboard/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startRedisNodes, type RedisNode } from "./redis-node.js";
import { startRedis, type RedisProcess } from "./redis-process.js";

interface Identity {
  readonly sid: string;
  readonly pid: string;
}

let redis: RedisProcess;
let nodes: [RedisNode, RedisNode];
let peers: RawWebSocketPeer[] = [];

async function startCluster(maxDisconnectionDuration: number): Promise<void> {
  redis = await startRedis();
  const options = { connectionStateRecovery: { maxDisconnectionDuration } };
  const setup = { adapter: "redis-streams-adapter", redisSocket: redis.socket, nodeCount: 2, options } as const;
  nodes = (await startRedisNodes(setup)) as [RedisNode, RedisNode];
}

/** Connects by hand and says what a client says that has come back, or is new. */
async function join(node: RedisNode, auth: Readonly<Record<string, string>>): Promise<RawWebSocketPeer> {
  const peer = new RawWebSocketPeer(`http://127.0.0.1:${node.port}/socket.io/?EIO=4&transport=websocket`);
  peers.push(peer);
  await peer.opened();
  await peer.next();
  peer.send(`40${JSON.stringify(auth)}`);
  return peer;
}

/** Reads on to the answer to CONNECT; what comes before it was missed. */
async function joined(peer: RawWebSocketPeer): Promise<Identity & { missed: string[] }> {
  const missed: string[] = [];
  for (;;) {
    const packet = String(await peer.next());
    if (packet.startsWith("40")) return { ...(JSON.parse(packet.slice(2)) as Identity), missed };
    missed.push(packet);
  }
}

/** The offset that an event carries as its last argument. */
function offsetOf(packet: string | Uint8Array): string {
  return (JSON.parse(String(packet).slice(2)) as string[]).at(-1) ?? "";
}

/** The names of events in packets of the wire. */
const namesOf = (packets: readonly string[]): string[] =>
  packets.map((packet) => (JSON.parse(packet.slice(2)) as [string])[0]);

/** Ada, in her room on the first node, who has got an event and is cut off then. */
async function comeAndGo(): Promise<Identity & { offset: string }> {
  const peer = await join(nodes[0], { name: "ada", room: "room" });
  const { sid, pid } = await joined(peer);
  await nodes[0].command("emit", "room", "first");
  const offset = offsetOf(await peer.next());
  peer.socket.terminate();
  await nodes[0].command("whenGone", sid);
  return { sid, pid, offset };
}

afterEach(async () => {
  for (const peer of peers) peer.socket.terminate();
  peers = [];
  await Promise.all(nodes.map((node) => node.kill()));
  await redis.remove();
});

describe("a client that comes back to the other one of two processes on @socket.io/redis-streams-adapter", () => {
  beforeEach(() => startCluster(60_000));

  it("gets exactly what it has missed, and is who it was", async () => {
    const { sid, pid, offset } = await comeAndGo();
    await nodes[0].command("emit", "room", "missed, from the first");
    await nodes[1].command("emit", "attic", "not for ada");
    await nodes[1].command("emitExcept", "room", "not for the room");
    await nodes[1].command("emit", sid, "missed, in person", 1);
    await nodes[1].command("emit", [], "missed, by all");

    const peer = await join(nodes[1], { pid, offset });
    const back = await joined(peer);
    expect(namesOf(back.missed)).toEqual(["missed, from the first", "missed, in person", "missed, by all"]);
    expect(back).toMatchObject({ sid, pid });
    expect(await nodes[1].command("localSocket", sid)).toEqual({
      id: sid,
      name: "ada",
      rooms: [sid, "room"].sort(),
      recovered: true,
    });

    await nodes[0].command("emit", "room", "and it goes on");
    expect(String(await peer.next())).toMatch(/^42\["and it goes on","\d+-\d+"\]$/);
  });

  it("can do so once per session", async () => {
    const { sid, pid, offset } = await comeAndGo();
    await nodes[0].command("emit", "room", "secret");
    expect(await joined(await join(nodes[1], { pid, offset }))).toMatchObject({ sid, pid });

    for (const node of nodes) {
      const stranger = await joined(await join(node, { pid, offset }));
      expect(stranger.missed).toEqual([]);
      expect(stranger.sid).not.toBe(sid);
      expect(stranger.pid).not.toBe(pid);
    }
  });

  it("can do so again and again, from where it was last", async () => {
    const { sid, pid, offset } = await comeAndGo();
    const second = await join(nodes[1], { pid, offset });
    await joined(second);
    await nodes[0].command("emit", "room", "second");
    const nextOffset = offsetOf(await second.next());
    second.socket.terminate();
    await nodes[1].command("whenGone", sid);
    await nodes[1].command("emit", "room", "third");

    const third = await joined(await join(nodes[0], { pid, offset: nextOffset }));
    expect(third).toMatchObject({ sid, pid });
    expect(namesOf(third.missed)).toEqual(["third"]);
  });

  it("is recovered too when its process was closed", async () => {
    const peer = await join(nodes[0], { name: "ada", room: "room" });
    const { sid, pid } = await joined(peer);
    await nodes[0].command("emit", "room", "first");
    const offset = offsetOf(await peer.next());
    expect(await nodes[0].close()).toBe(0);
    await nodes[1].command("emit", "room", "while she was away");

    const back = await joined(await join(nodes[1], { pid, offset }));
    expect(back).toMatchObject({ sid, pid });
    expect(namesOf(back.missed)).toEqual(["while she was away"]);
  });

  it("is a new one after a rehandshake", async () => {
    const peer = await join(nodes[0], { name: "ada", room: "room" });
    const { sid, pid } = await joined(peer);
    await nodes[0].command("emit", "room", "first");
    const offset = offsetOf(await peer.next());
    await nodes[0].command("rehandshake", sid);
    await peer.closed;
    expect(await nodes[0].command("isSessionStored", pid)).toBe(false);

    const back = await joined(await join(nodes[1], { pid, offset }));
    expect(back.sid).not.toBe(sid);
    expect(back.pid).not.toBe(pid);
  });

  it.each(["", "0-1", "nonsense", "9999999999999-0"])("is a new one with the offset %j", async (offset) => {
    const { sid, pid } = await comeAndGo();
    const back = await joined(await join(nodes[1], { pid, offset }));
    expect(back.sid).not.toBe(sid);
  });
});

describe("a client that comes back too late", () => {
  beforeEach(() => startCluster(50));

  it("is a new one", async () => {
    const { sid, pid, offset } = await comeAndGo();
    while (await nodes[0].command("isSessionStored", pid)) continue;
    const back = await joined(await join(nodes[1], { pid, offset }));
    expect(back.sid).not.toBe(sid);
    expect(back.missed).toEqual([]);
  });
});
