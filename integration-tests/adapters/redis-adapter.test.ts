import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { connectTo } from "./cluster-client.js";
import { redisAdapters, startRedisNodes, type RedisNode } from "./redis-node.js";
import { startRedis, type RedisProcess } from "./redis-process.js";

describe.each(redisAdapters)("two processes of ours on @socket.io/%s", (adapter) => {
  let redis: RedisProcess;
  let nodes: RedisNode[];
  let ada: Socket;
  let bob: Socket;
  let eve: Socket;

  beforeAll(async () => {
    redis = await startRedis();
    nodes = await startRedisNodes({ adapter, redisSocket: redis.socket, nodeCount: 2 });
    [ada, bob, eve] = await Promise.all([
      connectTo(nodes[0], "ada", "room"),
      connectTo(nodes[1], "bob", "room"),
      connectTo(nodes[1], "eve", "attic"),
    ]);
  });

  afterAll(async () => {
    for (const socket of [ada, bob, eve]) socket?.close();
    await Promise.all((nodes ?? []).map((node) => node.kill()));
    await redis?.remove();
  });

  it("deliver a broadcast, text and binary, to the clients of both", async () => {
    const heard = [ada, bob].map((socket) => nextEvent(socket, "news"));
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
    const ends = [ada, bob, eve].map((socket) => nextEvent(socket, "end"));
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
    const votes = (await nodes[0]?.command("emitWithAck", "room", 5000, "vote")) as string[];
    expect(votes.sort()).toEqual(["no", "yes"]);
  });

  it("report the acknowledgements they have when a client of the other one stays silent", async () => {
    ada.on("silence", (ack: (vote: string) => void) => ack("ada"));
    const votes = nodes[1]?.command("emitWithAck", "room", 3000, "silence");
    await expect(votes).rejects.toMatchObject({ message: "operation has timed out", responses: ["ada"] });
  });

  it("ask each other for an answer", async () => {
    const answers = await nodes[0]?.command("serverSideEmitWithAck", "question", "hi");
    expect(answers).toEqual([`hi from ${nodes[1]?.pid}`]);
  });

  it("move and disconnect sockets of the other one", async () => {
    const heard = nextEvent(ada, "welcome");
    await nodes[1]?.command("socketsJoin", "room", "hall");
    await nodes[1]?.command("emit", "hall", "welcome", "to the hall");
    expect(await heard).toEqual(["to the hall"]);
    const gone = nextEvent(eve, "disconnect");
    await nodes[0]?.command("disconnectSockets", "attic");
    expect((await gone)[0]).toBe("io server disconnect");
  });

  it("close and exit by themselves", async () => {
    expect(await Promise.all(nodes.map((node) => node.close()))).toEqual([0, 0]);
  });
});
