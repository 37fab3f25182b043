import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io as connect, type Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedisNodes, type RedisNode } from "./redis-node.js";

let folder: string;
let redis: ChildProcess;
let nodes: RedisNode[];
let ada: Socket;
let bob: Socket;
let eve: Socket;

/** Redis on a socket file: no port to find, nothing to collide with. */
async function startRedis(socketFile: string): Promise<ChildProcess> {
  const options = ["--port", "0", "--unixsocket", socketFile, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (/ready to accept connections/i.test(text)) resolve();
    });
  });
  return child;
}

async function connectTo(node: RedisNode | undefined, name: string, room: string): Promise<Socket> {
  const socket = connect(`http://localhost:${node?.port}`, { auth: { name, room }, forceNew: true });
  await new Promise((resolve) => socket.once("connect", () => resolve(undefined)));
  return socket;
}

const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "plugboard-redis-"));
  const socketFile = join(folder, "redis.sock");
  redis = await startRedis(socketFile);
  nodes = await startRedisNodes(2, socketFile);
  [ada, bob, eve] = await Promise.all([
    connectTo(nodes[0], "ada", "room"),
    connectTo(nodes[1], "bob", "room"),
    connectTo(nodes[1], "eve", "attic"),
  ]);
});

afterAll(async () => {
  for (const socket of [ada, bob, eve]) socket?.close();
  for (const node of nodes ?? []) node.kill();
  redis?.kill();
  if (redis !== undefined) await once(redis, "exit");
  await rm(folder, { recursive: true, force: true });
});

describe("two processes of ours on @socket.io/redis-adapter", () => {
  it("deliver a broadcast, text and binary, to the clients of both", async () => {
    const heard = [ada, bob].map((socket) => next(socket, "news"));
    const bytes = Buffer.from([1, 2, 3]);
    await nodes[0]?.command("emit", "room", "news", "hello", { bytes });
    expect(await Promise.all(heard)).toEqual([
      ["hello", { bytes }],
      ["hello", { bytes }],
    ]);
  });

  it("keep to the room, to the exception and to the local node", async () => {
    const events = new Map([ada, bob, eve].map((socket) => [socket, [] as string[]]));
    for (const [socket, list] of events) socket.onAny((event: string) => list.push(event));
    const ends = [ada, bob, eve].map((socket) => next(socket, "end"));
    await nodes[0]?.command("emit", "attic", "to the attic");
    await nodes[0]?.command("emitExcept", "attic", "not to the attic");
    await nodes[1]?.command("emitLocal", "room", "to the room, second node only");
    await nodes[0]?.command("emit", ["room", "attic"], "end");
    await Promise.all(ends);
    for (const socket of events.keys()) socket.offAny();
    expect(events.get(ada)).toEqual(["not to the attic", "end"]);
    expect(events.get(bob)).toEqual(
      expect.arrayContaining(["not to the attic", "to the room, second node only", "end"]),
    );
    expect(events.get(eve)).toEqual(["to the attic", "end"]);
  });

  it("list the sockets of both, with data and rooms", async () => {
    const sockets = (await nodes[1]?.command("fetchSockets", "room")) as Array<{ name: string; id: string }>;
    expect(sockets.sort((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: "ada", id: ada.id, rooms: [ada.id, "room"].sort() },
      { name: "bob", id: bob.id, rooms: [bob.id, "room"].sort() },
    ]);
  });

  it("gather the acknowledgements of the clients of both", async () => {
    ada.on("vote", (ack: (vote: string) => void) => ack("yes"));
    bob.on("vote", (ack: (vote: string) => void) => ack("no"));
    const votes = (await nodes[0]?.command("emitWithAck", "room", 3000, "vote")) as string[];
    expect(votes.sort()).toEqual(["no", "yes"]);
  });

  it("report the acknowledgements they have when a client of the other one stays silent", async () => {
    ada.on("silence", (ack: (vote: string) => void) => ack("ada"));
    const votes = nodes[1]?.command("emitWithAck", "room", 300, "silence");
    await expect(votes).rejects.toMatchObject({ message: "operation has timed out", responses: ["ada"] });
  });

  it("ask each other for an answer", async () => {
    const answers = await nodes[0]?.command("serverSideEmitWithAck", "question", "hi");
    expect(answers).toEqual([`hi from ${nodes[1]?.pid}`]);
  });

  it("move and disconnect sockets of the other one", async () => {
    const heard = next(ada, "welcome");
    await nodes[1]?.command("socketsJoin", "room", "hall");
    await nodes[1]?.command("emit", "hall", "welcome", "to the hall");
    expect(await heard).toEqual(["to the hall"]);
    const gone = next(eve, "disconnect");
    await nodes[0]?.command("disconnectSockets", "attic");
    expect((await gone)[0]).toBe("io server disconnect");
  });

  it("close and exit by themselves", async () => {
    expect(await Promise.all(nodes.map((node) => node.close()))).toEqual([0, 0]);
  });
});
