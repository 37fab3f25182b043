import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Socket } from "socket.io-client";
import { startRedis } from "../adapters/redis-process.js";
import { nextEvent } from "../support/next-event.js";
import { clientKinds, loggedIn } from "./browser.js";
import { startApp, type App } from "./session-app.js";
import { memory, redis } from "./stores.js";

/** The nodes that a client may come back to: one that keeps all in memory, or two over Redis. */
interface Cluster {
  /** Where clients connect first. */
  readonly first: App;
  /** Where they come back to. */
  readonly last: App;
  readonly remove: () => Promise<void>;
}

const connectionStateRecovery = { maxDisconnectionDuration: 60_000 };

const clusters: readonly { name: string; start(): Promise<Cluster> }[] = [
  {
    name: "one node, in memory",
    start: async () => {
      const service = await memory.start();
      const app = await startApp({ store: await service.open(), io: { connectionStateRecovery } });
      return { first: app, last: app, remove: () => app.close() };
    },
  },
  {
    name: "two nodes, over @socket.io/redis-streams-adapter and connect-redis",
    start: async () => {
      const server = await startRedis();
      const service = await redis.start();
      const connections: Redis[] = [];
      const start = async (): Promise<App> => {
        const store = await service.open();
        const connection = new Redis(server.socket, { maxRetriesPerRequest: null });
        connection.on("error", () => {});
        connections.push(connection);
        const adapter = createAdapter(connection, { blockTimeInMs: 200 });
        return startApp({ store, io: { connectionStateRecovery, adapter } });
      };
      const [first, last] = await Promise.all([start(), start()]);
      for (const { io } of [first, last]) {
        while ((await io.sockets.adapter.serverCount()) !== 2) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const remove = async (): Promise<void> => {
        await Promise.all([first.close(), last.close()]);
        await Promise.all(connections.map((connection) => connection.quit()));
        await Promise.all([server.remove(), service.remove()]);
      };
      return { first, last, remove };
    },
  },
];

/** Cuts the connection; resolves once the server knows. The client stays away. */
async function cut(socket: Socket, app: App): Promise<void> {
  const { id } = socket;
  const there = app.io.sockets.sockets.get(id as string);
  socket.io.reconnection(false);
  const gone = there === undefined ? undefined : nextEvent(there, "disconnect");
  socket.io.engine.close();
  await gone;
}

describe.each(clusters)("a client that comes back: $name", ({ start }) => {
  let cluster: Cluster;
  let middlewares = 0;
  beforeEach(async () => {
    cluster = await start();
    middlewares = 0;
    for (const { io } of new Set([cluster.first, cluster.last])) {
      io.use((_socket, next) => {
        middlewares++;
        next();
      });
      io.on("connection", (socket) => {
        socket.handle("whoami", () => ({ recovered: socket.recovered, user: socket.session.data.user }));
        // Something to be missed from on: without an event there is no offset.
        socket.emit("hello");
      });
    }
  });
  afterEach(() => cluster.remove());

  /** Connects, and resolves when there is something to recover. */
  async function arrive(kind: (typeof clientKinds)[number]) {
    const browser = await loggedIn(cluster.first.url);
    const socket = browser.open(kind);
    await nextEvent(socket, "hello");
    return { browser, socket };
  }

  async function comeBack(socket: Socket): Promise<unknown> {
    (socket.io as unknown as { uri: string }).uri = cluster.last.url;
    const connected = nextEvent(socket, "connect");
    socket.connect();
    await connected;
    const seen = (await socket.emitWithAck("whoami")) as object;
    return { ...seen, clientSays: socket.recovered };
  }

  describe.each(clientKinds)("with $name", (kind) => {
    it("is recovered with its session as long as that lives", async () => {
      const { socket } = await arrive(kind);
      await cut(socket, cluster.first);
      expect(await comeBack(socket)).toEqual({ recovered: true, user: "ada", clientSays: true });
      expect(middlewares).toBe(1);
    });

    it("starts anew after a logout while it was away, and the middlewares run", async () => {
      const { browser, socket } = await arrive(kind);
      await cut(socket, cluster.first);
      await browser.post("/logout");
      expect(await comeBack(socket)).toEqual({ recovered: false, clientSays: false });
      expect(middlewares).toBe(2);
    });

    it("starts anew after a logout while it was there", async () => {
      const { browser, socket } = await arrive(kind);
      socket.io.reconnection(false);
      const gone = nextEvent(socket, "disconnect");
      await browser.post("/logout");
      await gone;
      expect(await comeBack(socket)).toEqual({ recovered: false, clientSays: false });
      expect(middlewares).toBe(2);
    });

    it("starts anew when it comes with the session of somebody else", async () => {
      const { browser, socket } = await arrive(kind);
      await cut(socket, cluster.first);
      browser.cookie = (await loggedIn(cluster.last.url)).cookie as string;
      expect(await comeBack(socket)).toEqual({ recovered: false, user: "ada", clientSays: false });
      expect(middlewares).toBe(2);
    });
  });

  it("starts anew when it left without a session and comes back with one", async () => {
    const { browser, socket } = await arrive(clientKinds[1]!);
    const anonymous = (await loggedIn(cluster.first.url)).open(clientKinds[1]!, { extraHeaders: {} });
    await nextEvent(anonymous, "hello");
    await cut(anonymous, cluster.first);
    anonymous.io.opts.extraHeaders = { cookie: browser.cookie as string };
    expect(await comeBack(anonymous)).toEqual({ recovered: false, user: "ada", clientSays: false });
    socket.disconnect();
  });

  it("is ended on the node where it is when it logs out on another", async () => {
    const { browser, socket } = await arrive(clientKinds[0]!);
    const back = nextEvent(socket, "disconnect").then(() => nextEvent(socket, "connect"));
    browser.url = cluster.last.url;
    await browser.post("/logout");
    await back;
    expect(await socket.emitWithAck("whoami")).toEqual({ recovered: false });
  });

  it("hears of changes on another node", async () => {
    const { browser, socket } = await arrive(clientKinds[1]!);
    const there = cluster.first.io.sockets.sockets.get(socket.id as string);
    const changed = new Promise((resolve) => there?.session.on("changed", resolve));
    browser.url = cluster.last.url;
    await browser.post("/increment");
    expect(await changed).toEqual({ user: "ada", n: 1 });
    expect(there?.session.data).toEqual({ user: "ada", n: 1 });
  });
});
