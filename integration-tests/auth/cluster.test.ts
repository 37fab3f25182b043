import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { credentials, type Credentials, type CredentialsOptions, type RevocationStore } from "@plugboard/auth";
import { Server, type AdapterConstructor } from "@plugboard/server";
import { createAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startRedis, type RedisProcess } from "../adapters/redis-process.js";
import { nextEvent } from "../support/next-event.js";
import { sign, verify } from "./auth-server.js";
import { open, oursOverPolling, stockOverWebSocket, type ConnectError } from "./clients.js";

const adapters = ["redis-adapter", "redis-streams-adapter"] as const;
const kinds = [stockOverWebSocket, oursOverPolling];

interface Node {
  readonly io: Server;
  readonly url: string;
  close(): Promise<void>;
}

let redis: RedisProcess;
let nodes: Node[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.remove());
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  nodes = [];
});

/** Keeps revocations in Redis: one key each, which goes by itself. */
function redisRevocations(client: Redis): RevocationStore {
  return {
    async add({ keys, at, until }) {
      for (const key of keys) await client.set(`revoked:${key}`, at, "PXAT", until);
    },
    async find(keys) {
      const times = await client.mget(keys.map((key) => `revoked:${key}`));
      return times.map((time) => (time === null ? null : Number(time)));
    },
  };
}

/** Starts one node; resolves when it and those before it hear each other. */
async function startNode(
  adapter: (typeof adapters)[number],
  options: (client: Redis) => Partial<CredentialsOptions<Credentials>> = () => ({}),
): Promise<Node> {
  const publisher = new Redis(redis.socket, { maxRetriesPerRequest: null });
  const subscriber = publisher.duplicate();
  // Those that it is stopped for at the end.
  for (const client of [publisher, subscriber]) client.on("error", () => {});
  const made =
    adapter === "redis-adapter"
      ? createAdapter(publisher, subscriber)
      : createStreamsAdapter(publisher, { blockTimeInMs: 100 });
  const httpServer = createServer();
  const io = new Server(httpServer, {
    adapter: made as unknown as AdapterConstructor,
    connectionStateRecovery: adapter === "redis-streams-adapter" ? {} : undefined,
    onListenerError: () => {},
  } as object);
  credentials(io, { verify, ...options(publisher) });
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const node: Node = {
    io,
    url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    close: async () => {
      await io.close();
      // Not `disconnect()`: the adapter does not wait for its `unsubscribe`, which would be rejected then.
      await Promise.all([publisher.quit(), subscriber.quit()]);
    },
  };
  nodes.push(node);
  for (const { io: each } of nodes) while ((await countOf(each)) !== nodes.length) await sleep(20);
  return node;
}

const countOf = (io: Server): Promise<number> => io.of("/").adapter.serverCount() as Promise<number>;

describe.each(adapters)("two nodes on @socket.io/%s", (adapter) => {
  it.each(kinds)("what is revoked on one ends on the other and is refused on both, $name", async (kind) => {
    const [first, second] = [await startNode(adapter), await startNode(adapter)];
    const token = await sign({ user: "ada", tokenId: "t1" });
    const client = open(kind, second.url, { auth: { token } });
    const bystander = open(kind, second.url, { auth: { token: await sign({ user: "ada", tokenId: "t2" }) } });
    await Promise.all([nextEvent(client, "connect"), nextEvent(bystander, "connect")]);
    const refused = nextEvent<[ConnectError]>(client, "connect_error");
    await first.io.revoke({ tokenId: "t1" });
    expect((await refused)[0].data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    for (const { url } of [first, second]) {
      const [error] = await nextEvent<[ConnectError]>(open(kind, url, { auth: { token } }), "connect_error");
      expect(error.data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    }
    expect(bystander.connected).toBe(true);
  });

  it("a user who is revoked on one ends on both, and gets in on both by a new login", async () => {
    const [first, second] = [await startNode(adapter), await startNode(adapter)];
    const old = await sign({ user: "ada" });
    const sockets = [first, second].map(({ url }) => open(stockOverWebSocket, url, { auth: { token: old } }));
    await Promise.all(sockets.map((socket) => nextEvent(socket, "connect")));
    const refused = Promise.all(sockets.map((socket) => nextEvent<[ConnectError]>(socket, "connect_error")));
    await first.io.revoke({ user: "ada" });
    for (const [error] of await refused) expect(error.data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    const token = await sign({ user: "ada" });
    await Promise.all(
      [first, second].map(({ url }) => nextEvent(open(stockOverWebSocket, url, { auth: { token } }), "connect")),
    );
  });

  it("with revocations in Redis, a node that starts later refuses what was revoked before", async () => {
    const withStore = (client: Redis) => ({ revocations: redisRevocations(client) });
    const first = await startNode(adapter, withStore);
    const token = await sign({ tokenId: `late on ${adapter}` });
    await first.io.revoke({ tokenId: `late on ${adapter}` });
    const second = await startNode(adapter, withStore);
    const [error] = await nextEvent<[ConnectError]>(
      open(stockOverWebSocket, second.url, { auth: { token } }),
      "connect_error",
    );
    expect(error.data).toEqual({ code: "SIO_CREDENTIALS_REVOKED" });
    await nextEvent(open(stockOverWebSocket, second.url, { auth: { token: await sign() } }), "connect");
  });
});

describe("with recovery over Redis streams", () => {
  it("a client whose session was revoked on another node while it was away starts anew after its login", async () => {
    const [first, second] = [await startNode("redis-streams-adapter"), await startNode("redis-streams-adapter")];
    let session = "s1";
    const auth = (answer: (auth: object) => void): void => void sign({ session }).then((token) => answer({ token }));
    const client = open(stockOverWebSocket, second.url, { auth, reconnection: false });
    await nextEvent(client, "connect");
    const greeted = nextEvent(client, "hello");
    second.io.emit("hello");
    await greeted;
    const { id } = client;
    const gone = nextEvent(client, "disconnect");
    client.io.engine.close();
    await gone;
    while (second.io.sockets.sockets.size > 0) await sleep(5);
    await first.io.revoke({ session: "s1" });
    // What one node tells the others arrives in order.
    const heard = nextEvent(second.io, "heard");
    first.io.serverSideEmit("heard");
    await heard;
    session = "s2";
    client.connect();
    await nextEvent(client, "connect");
    expect(client.id).not.toBe(id);
    expect(client.recovered).toBe(false);
  });

  it("a client that was just away is recovered on the other node, by its credentials", async () => {
    const [first, second] = [await startNode("redis-streams-adapter"), await startNode("redis-streams-adapter")];
    const token = await sign({ user: "ada" });
    const client = open(stockOverWebSocket, second.url, { auth: { token }, reconnection: false });
    await nextEvent(client, "connect");
    const greeted = nextEvent(client, "hello");
    second.io.emit("hello");
    await greeted;
    const { id } = client;
    const gone = nextEvent(client, "disconnect");
    client.io.engine.close();
    await gone;
    while (second.io.sockets.sockets.size > 0) await sleep(5);
    (client.io as unknown as { uri: string }).uri = first.url;
    client.connect();
    await nextEvent(client, "connect");
    expect(client.recovered).toBe(true);
    expect(first.io.sockets.sockets.get(id!)?.credentials?.user).toBe("ada");
  });
});
