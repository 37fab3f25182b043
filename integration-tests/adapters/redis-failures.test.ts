import type { Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { connectTo } from "./cluster-client.js";
import { redisAdapters, startRedisNode, startRedisNodes, type ClusterSetup, type RedisNode } from "./redis-node.js";
import { startRedis, type RedisProcess } from "./redis-process.js";

describe.each(redisAdapters)("two processes of ours on @socket.io/%s", (adapter) => {
  let redis: RedisProcess;
  let setup: ClusterSetup;
  let nodes: RedisNode[];
  let ada: Socket;
  let bob: Socket;
  /** Clients that have lost their connection. */
  let lost: string[];

  beforeEach(async () => {
    redis = await startRedis();
    setup = { adapter, redisSocket: redis.socket, nodeCount: 2 };
    nodes = await startRedisNodes(setup);
    ada = await connectTo(nodes[0], "ada", "room");
    bob = await connectTo(nodes[1], "bob", "room");
    lost = [];
    ada.on("disconnect", () => lost.push("ada"));
    bob.on("disconnect", () => lost.push("bob"));
  });

  afterEach(async () => {
    for (const socket of [ada, bob]) socket?.close();
    await Promise.all((nodes ?? []).map((node) => node.kill()));
    await redis?.remove();
  });

  /** Sends an event from a node to the room and checks who gets it. */
  async function expectToHear(from: RedisNode | undefined, ...clients: Socket[]): Promise<void> {
    const heard = clients.map((client) => nextEvent(client, "news"));
    await from?.command("emit", "room", "news", from.pid);
    expect(await Promise.all(heard)).toEqual(clients.map(() => [from?.pid]));
  }

  async function namesIn(room: string, seenBy: RedisNode | undefined): Promise<string[]> {
    const sockets = (await seenBy?.command("fetchSockets", room)) as Array<{ name: string }>;
    return sockets.map(({ name }) => name).sort();
  }

  it("survive each other's sudden end, and take a successor in", async () => {
    const [first, second] = nodes;
    const cut = nextEvent(bob, "disconnect");
    await second?.kill();
    await cut;
    await expectToHear(first, ada);
    await first?.command("whenNodes", 1);
    expect(await namesIn("room", first)).toEqual(["ada"]);

    const successor = await startRedisNode(setup);
    nodes.push(successor);
    bob.close();
    bob = await connectTo(successor, "bob", "room");
    await expectToHear(first, ada, bob);
    await expectToHear(successor, ada, bob);
    expect(await namesIn("room", successor)).toEqual(["ada", "bob"]);
    expect(lost).toEqual(["bob"]);
  });

  it("give up on one that does not answer any more when the adapter says so", async () => {
    const [first, second] = nodes;
    second?.freeze();
    await expect(first?.command("fetchSockets", "room")).rejects.toThrow(/^timeout reached/);
    await expectToHear(first, ada);
    await second?.kill();
    await first?.command("whenNodes", 1);
    expect(await namesIn("room", first)).toEqual(["ada"]);
    await expectToHear(first, ada);
    expect(lost).not.toContain("ada");
  });

  it("keep their clients while Redis is away, and reach each other again once it is back", async () => {
    const [first, second] = nodes;
    await redis.kill();
    const heardLocally = [nextEvent(ada, "local"), nextEvent(bob, "local")];
    await first?.command("emitLocal", "room", "local", "first");
    await second?.command("emitLocal", "room", "local", "second");
    expect(await Promise.all(heardLocally)).toEqual([["first"], ["second"]]);

    await redis.start();
    await Promise.all(nodes.map((node) => node.command("whenNodes", 2)));
    await expectToHear(first, ada, bob);
    await expectToHear(second, ada, bob);
    expect(await namesIn("room", first)).toEqual(["ada", "bob"]);
    expect(await second?.command("serverSideEmitWithAck", "question", "still there?")).toEqual([
      `still there? from ${first?.pid}`,
    ]);
    expect(lost).toEqual([]);
    expect(await Promise.all(nodes.map((node) => node.close()))).toEqual([0, 0]);
  });
});
