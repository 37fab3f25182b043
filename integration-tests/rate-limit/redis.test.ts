import { fork } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { limitEvents } from "@plugboard/rate-limit";
import type { Socket } from "@plugboard/server";
import { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startRedis, type RedisProcess } from "../adapters/redis-process.js";
import { installLocked } from "../support/install-locked.js";
import { nextEvent } from "../support/next-event.js";
import { bothClients } from "../support/both-clients.js";
import { serveLimited } from "./limited-server.js";

const script = fileURLToPath(new URL("./fixtures/limited-node.mjs", import.meta.url));
const nodeRedisFolder = fileURLToPath(new URL("./node-redis", import.meta.url));

/** The part of the package `redis` that is used here. It is installed by the test, so the compiler does not know it. */
interface NodeRedis {
  createClient(options: object): { connect(): Promise<unknown>; destroy(): void };
}

const refused = { status: "error", code: "SIO_RATE_LIMITED", message: "Too many events" };

describe.each(bothClients)("limits on a real Redis, with $name", (client) => {
  let redis: RedisProcess;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis?.remove());

  it("are shared by two server processes: of events by user, of handshakes by address", async () => {
    const database = await emptyDatabase(redis);
    const urls = await Promise.all([startNode(redis), startNode(redis)]);
    const ada = await Promise.all(urls.map((url) => client.connect(url, { auth: { name: "ada" } })));
    const bob = await client.connect(urls[0]!, { auth: { name: "bob" } });
    expect(await ada[0]!.emitWithAck("say", 1)).toBe(1);
    expect(await ada[1]!.emitWithAck("say", 2)).toBe(2);
    expect(await ada[0]!.emitWithAck("say", 3)).toBe(3);
    expect(await ada[1]!.emitWithAck("say", 4)).toMatchObject(refused);
    expect(await ada[0]!.emitWithAck("say", 5)).toMatchObject(refused);
    expect(await bob.emitWithAck("say", 6)).toBe(6);
    // That was the third handshake; the fourth is the last.
    await client.connect(urls[1]!);
    const [error] = await nextEvent<[{ description?: unknown }]>(
      client.open(urls[0]!, { transports: ["polling"] }),
      "connect_error",
    );
    expect(error.description).toBe(429);
    expect((await database.keys("*")).sort()).toEqual(["events:ada", "events:bob", "handshakes:address:127.0.0.1"]);
    expect(await database.pttl("events:ada")).toBeGreaterThan(0);
  });

  it("keep the order of a thousand events, those that are refused included", async () => {
    const database = await emptyDatabase(redis);
    const { io, url } = await serveLimited();
    const limiter = new RateLimiterRedis({ storeClient: database, points: 600, duration: 60 });
    limitEvents(io, { limiter, events: { odd: { points: 400, duration: 60 } } });
    const heard: unknown[] = [];
    io.on("connection", (socket) => {
      for (const name of ["odd", "even"]) socket.on(name, (value, ack) => (heard.push(value), ack(value)));
    });
    const ada = await client.connect(url);
    const values = Array.from({ length: 1000 }, (_, index) => index);
    const settled: number[] = [];
    await Promise.all(
      values.map(async (value) => {
        const answer: unknown = await ada.emitWithAck(value % 2 ? "odd" : "even", value);
        settled.push(value);
        if (value < 600) expect(answer).toBe(value);
        else expect(answer).toMatchObject(refused);
      }),
    );
    expect(settled).toEqual(values);
    expect(heard).toEqual(values.slice(0, 600));
  });
});

describe("limits on a Redis by node-redis", () => {
  let redis: RedisProcess;

  beforeAll(async () => {
    await installLocked(nodeRedisFolder);
    redis = await startRedis();
  }, 300_000);

  afterAll(() => redis?.remove());

  it("count as those by ioredis do, in order", async () => {
    const { createClient } = createRequire(join(nodeRedisFolder, "package.json"))("redis") as NodeRedis;
    const storeClient = createClient({ socket: { path: redis.socket } });
    await storeClient.connect();
    onTestFinished(() => storeClient.destroy());
    const { io, url, failures } = await serveLimited();
    const limiter = new RateLimiterRedis({ storeClient, useRedisPackage: true, points: 3, duration: 60 });
    limitEvents(io, { limiter, by: "address" });
    io.on("connection", (socket) => socket.on("say", (value, ack) => ack(value)));
    const clients = await Promise.all(bothClients.map((client) => client.connect(url)));
    for (const value of [1, 2, 3]) expect(await clients[value % 2]!.emitWithAck("say", value)).toBe(value);
    for (const client of clients) expect(await client.emitWithAck("say", 4)).toMatchObject(refused);
    expect(failures).toEqual([]);
  });
});

describe("limits on a Redis that goes away", () => {
  let redis: RedisProcess;
  let storeClient: Redis;

  beforeEach(async () => {
    redis = await startRedis();
    storeClient = new Redis(redis.socket, { enableOfflineQueue: false, retryStrategy: () => 20 });
    // Said while Redis is away.
    storeClient.on("error", () => {});
    await nextEvent(storeClient, "ready");
  });

  afterEach(async () => {
    storeClient.disconnect();
    await redis.remove();
  });

  const [client] = bothClients;
  const echo = (socket: Socket): void => void socket.on("say", (value, ack) => ack(value));

  async function takeAway(): Promise<void> {
    const closed = nextEvent(storeClient, "close");
    await redis.kill();
    await closed;
  }

  it.each([
    ["allow", (value: number): unknown => value],
    ["refuse", (): unknown => expect.objectContaining(refused)],
  ] as const)("%s all, with one report for each time it goes away", async (onLimiterError, expected) => {
    const { io, url, failures } = await serveLimited();
    limitEvents(io, {
      limiter: new RateLimiterRedis({ storeClient, points: 1, duration: 60 }),
      onLimiterError,
    });
    io.on("connection", echo);
    const ada = await client!.connect(url);
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    expect(await ada.emitWithAck("say", 2)).toMatchObject(refused);
    await takeAway();
    for (const value of [3, 4, 5]) expect(await ada.emitWithAck("say", value)).toEqual(expected(value));
    expect(failures).toMatchObject([{ event: "rate-limit", error: expect.any(Error) as Error }]);
    expect(failures[0]?.socket?.id).toBe(ada.id);
    const ready = nextEvent(storeClient, "ready");
    await redis.start();
    await ready;
    expect(await ada.emitWithAck("say", 6)).toBe(6);
    expect(await ada.emitWithAck("say", 7)).toMatchObject(refused);
    expect(failures).toHaveLength(1);
    await takeAway();
    expect(await ada.emitWithAck("say", 8)).toEqual(expected(8));
    expect(failures).toHaveLength(2);
  });

  it("go on in memory with the library's insurance limiter, without a report", async () => {
    const { io, url, failures } = await serveLimited();
    const insuranceLimiter = new RateLimiterMemory({ points: 2, duration: 60 });
    limitEvents(io, { limiter: new RateLimiterRedis({ storeClient, points: 1, duration: 60, insuranceLimiter }) });
    io.on("connection", echo);
    const ada = await client!.connect(url);
    await takeAway();
    expect([await ada.emitWithAck("say", 1), await ada.emitWithAck("say", 2)]).toEqual([1, 2]);
    expect(await ada.emitWithAck("say", 3)).toMatchObject(refused);
    expect(failures).toEqual([]);
  });

  it("allow an event after a second when Redis does not answer at all", async () => {
    const { io, url, failures } = await serveLimited();
    limitEvents(io, { limiter: new RateLimiterRedis({ storeClient, points: 1, duration: 60 }) });
    io.on("connection", echo);
    const ada = await client!.connect(url);
    // Redis keeps the commands of others waiting meanwhile.
    const other = new Redis(redis.socket);
    onTestFinished(() => other.disconnect());
    await other.call("CLIENT", "PAUSE", "600000", "ALL");
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    expect(failures.map(({ error }) => (error as Error).message)).toEqual([
      "The rate limiter did not answer within 1000 ms",
    ]);
  });
});

/** Starts a server process; resolves with its URL. */
async function startNode({ socket }: RedisProcess): Promise<string> {
  const child = fork(script, [socket]);
  onTestFinished(async () => {
    if (child.kill("SIGKILL")) await once(child, "exit");
  });
  const [port] = (await once(child, "message")) as [number];
  return `http://127.0.0.1:${port}`;
}

/** A connection to Redis, which has no keys; it ends when the running test finishes. */
async function emptyDatabase({ socket }: RedisProcess): Promise<Redis> {
  const database = new Redis(socket);
  onTestFinished(() => database.disconnect());
  await database.flushall();
  return database;
}
