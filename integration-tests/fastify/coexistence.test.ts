import { socketio } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import dns from "node:dns";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { selfSignedCertificate } from "../support/self-signed-certificate.js";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";
import { listen, startApp } from "./start-app.js";

/** What comes of an attempt: "connected", or the message of the error. */
async function outcome(socket: object): Promise<string> {
  return Promise.race([
    nextEvent(socket, "connect").then(() => "connected"),
    nextEvent<[Error]>(socket, "connect_error").then(([error]) => error.message),
  ]);
}

async function echoOf(url: string): Promise<string> {
  const socket = new WebSocket(url);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  socket.send("hello");
  const [message] = (await once(socket, "message")) as [Buffer];
  return String(message);
}

const addresses = ["127.0.0.1", "[::1]"];

/** On a machine where `localhost` has both loopback addresses, which not every container does. */
beforeAll(() => {
  const { lookup } = dns;
  vi.spyOn(dns, "lookup").mockImplementation(((host: string, options: object, done: (...args: unknown[]) => void) => {
    if (host !== "localhost" || typeof options !== "object") return lookup(host, options as never, done as never);
    const both = [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ];
    if ((options as { all?: boolean }).all) process.nextTick(done, null, both);
    else process.nextTick(done, null, "127.0.0.1", 4);
  }) as never);
});
afterAll(() => void vi.restoreAllMocks());

describe.each(bothClients)("where Fastify listens on localhost, $name", (client) => {
  it.each(addresses)("connects by polling and websocket at %s", async (address) => {
    const app = Fastify();
    await app.register(socketio);
    const { port } = await listen(app, "localhost");
    for (const transport of ["polling", "websocket"]) {
      const socket = client.open(`http://${address}:${port}`, { transports: [transport] });
      expect(await outcome(socket)).toBe("connected");
      socket.disconnect();
    }
  });

  it.each(addresses)("goes on polling at %s without running hooks again", async (address) => {
    const app = Fastify();
    let hooks = 0;
    app.addHook("onRequest", async () => void hooks++);
    await app.register(socketio);
    app.io.event("double", (n: number) => 2 * n);
    const { port } = await listen(app, "localhost");
    const socket = await client.connect(`http://${address}:${port}`, { transports: ["polling"] });
    for (let n = 0; n < 5; n++) expect(await socket.emitWithAck("double", n)).toBe(2 * n);
    expect(hooks).toBe(1);
  });

  it("does not find the published server by polling at one of the two addresses", async () => {
    const { app } = await attachPublished();
    const { port } = await listen(app, "localhost");
    const outcomes = await Promise.all(
      addresses.map((address) => outcome(client.open(`http://${address}:${port}`, { transports: ["polling"] }))),
    );
    expect(outcomes.toSorted()).toEqual(["connected", "xhr poll error"]);
  });
});

const orders = ["before", "behind"] as const;

describe.each(bothClients)("beside others on the same server, $name", (client) => {
  async function withWebSocket(order: (typeof orders)[number], register: (app: FastifyInstance) => unknown) {
    const websocket = await loadPeer("@fastify/websocket");
    const app = Fastify();
    if (order === "before") await app.register(websocket);
    await register(app);
    if (order === "behind") await app.register(websocket);
    await app.register(async (scope) => {
      const echo = (socket: WebSocket): void => {
        socket.on("message", (data) => socket.send(String(data)));
      };
      scope.get("/echo", { websocket: true } as object, echo as never);
    });
    return listen(app);
  }

  it.each(orders)("connects with @fastify/websocket registered %s, which works on", async (order) => {
    let hooks = 0;
    const { url, port } = await withWebSocket(order, async (app) => {
      await app.register(socketio, { routeOptions: { onRequest: async () => void hooks++ } });
    });
    const socket = client.open(url, { transports: ["websocket"] });
    expect(await outcome(socket)).toBe("connected");
    expect(hooks).toBe(1);
    expect(await echoOf(`ws://127.0.0.1:${port}/echo`)).toBe("hello");
    expect(await outcome(client.open(url, { transports: ["polling"] }))).toBe("connected");
  });

  it.each(orders)(
    "cannot connect to the published server over websocket, with @fastify/websocket %s it",
    async (order) => {
      const { url } = await withWebSocket(order, (app) => attachPublished(app));
      const socket = client.open(url, { transports: ["websocket"] });
      expect(await outcome(socket)).not.toBe("connected");
    },
  );

  it.each(orders)("connects with @fastify/http-proxy for websockets registered %s, which works on", async (order) => {
    const proxy = await loadPeer("@fastify/http-proxy");
    const upstream = createServer();
    new WebSocketServer({ server: upstream }).on("connection", (socket) => {
      socket.on("message", (data) => socket.send(String(data)));
    });
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    onTestFinished(() => {
      upstream.closeAllConnections();
      upstream.close();
    });
    const options = {
      upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      prefix: "/proxied",
      websocket: true,
    };
    const app = Fastify();
    if (order === "before") await app.register(proxy, options);
    await app.register(socketio);
    if (order === "behind") await app.register(proxy, options);
    const { url, port } = await listen(app);
    for (const transport of ["websocket", "polling"]) {
      expect(await outcome(client.open(url, { transports: [transport] }))).toBe("connected");
    }
    expect(await echoOf(`ws://127.0.0.1:${port}/proxied/`)).toBe("hello");
  });

  it.each(orders)("goes on when @fastify/http-proxy registered %s cannot reach what is behind it", async (order) => {
    const proxy = await loadPeer("@fastify/http-proxy");
    const options = { upstream: "http://127.0.0.1:1", prefix: "/proxied", websocket: true };
    const app = Fastify();
    if (order === "before") await app.register(proxy, options);
    await app.register(socketio);
    if (order === "behind") await app.register(proxy, options);
    app.io.event("double", (n: number) => 2 * n);
    const { url, port } = await listen(app);
    const socket = await client.connect(url);
    const proxied = new WebSocket(`ws://127.0.0.1:${port}/proxied/`);
    onTestFinished(() => proxied.terminate());
    proxied.on("error", () => {});
    await nextEvent(proxied, "close");
    expect((await fetch(`${url}/proxied/`)).status).toBeGreaterThanOrEqual(500);
    expect(await socket.emitWithAck("double", 21)).toBe(42);
  });

  it.each(orders)(
    "connects with a listener like that of Vite added %s, which gets all other upgrades",
    async (order) => {
      const app = Fastify();
      const hmr = new WebSocketServer({ noServer: true });
      const onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
        if (req.headers["sec-websocket-protocol"] !== "vite-hmr") return;
        hmr.handleUpgrade(req, socket, head, (channel) => channel.send("connected"));
      };
      if (order === "before") app.server.on("upgrade", onUpgrade);
      await app.register(socketio);
      if (order === "behind") app.server.on("upgrade", onUpgrade);
      const { url, port } = await listen(app);
      const page = new WebSocket(`ws://127.0.0.1:${port}/`, "vite-hmr");
      onTestFinished(() => page.terminate());
      const [message] = (await once(page, "message")) as [Buffer];
      expect(String(message)).toBe("connected");
      expect(await outcome(client.open(url))).toBe("connected");
    },
  );

  it("finds several instances in one application, each at its path", async () => {
    const { url } = await startApp(
      {},
      {
        after: (app) =>
          app.register(socketio, { decoratorName: "adminIo", path: "/admin/io" }).then(() => {
            (app as unknown as { adminIo: FastifyInstance["io"] }).adminIo.event("who", () => "admin");
            app.io.event("who", () => "all");
          }),
      },
    );
    const all = await client.connect(url);
    const admin = await client.connect(url, { path: "/admin/io/" });
    expect(await all.emitWithAck("who")).toBe("all");
    expect(await admin.emitWithAck("who")).toBe("admin");
  });

  it("finds it below a prefix, without a slash at the end too", async () => {
    const app = Fastify();
    await app.register(
      async (scope) => {
        await scope.register(socketio, { prefix: "/realtime" });
        scope.io.event("who", () => "scoped");
      },
      { prefix: "/api" },
    );
    const { url } = await listen(app);
    for (const transport of ["polling", "websocket"]) {
      const options = { transports: [transport], path: "/api/realtime/socket.io" };
      expect(await (await client.connect(url, options)).emitWithAck("who")).toBe("scoped");
      const bare = { ...options, addTrailingSlash: false };
      expect(await (await client.connect(url, bare)).emitWithAck("who")).toBe("scoped");
    }
  });

  it("connects over https", async () => {
    const { key, cert } = selfSignedCertificate;
    const app = Fastify({ https: { key, cert } });
    await app.register(socketio as never);
    const { port } = await listen(app as never);
    for (const transport of ["polling", "websocket"]) {
      const socket = client.open(`https://127.0.0.1:${port}`, { transports: [transport], rejectUnauthorized: false });
      expect(await outcome(socket)).toBe("connected");
    }
  });

  it("connects where serverFactory makes the server", async () => {
    const { url } = await startApp({}, { fastify: { serverFactory: (handler) => createServer(handler) } });
    for (const transport of ["polling", "websocket"]) {
      expect(await outcome(client.open(url, { transports: [transport] }))).toBe("connected");
    }
  });
});

describe("upgrades that are nobody's", () => {
  it("are answered as any request for that path, and end", async () => {
    const { port } = await startApp({}, { after: (app) => app.get("/page", () => "a page") });
    const statusOf = async (path: string): Promise<number | undefined> => {
      const headers = { connection: "upgrade", upgrade: "websocket" };
      const req = httpRequest({ port, host: "127.0.0.1", path, headers }).end();
      const [res] = (await once(req, "response")) as [IncomingMessage];
      res.resume();
      await once(res, "close");
      return res.statusCode;
    };
    expect(await statusOf("/page")).toBe(200);
    expect(await statusOf("/nothing")).toBe(404);
    expect(await statusOf("/socket.iox?EIO=4&transport=websocket")).toBe(404);
  });
});

describe("the path", () => {
  it("does not answer what only begins with it", async () => {
    const { url } = await startApp();
    expect((await fetch(`${url}/socket.iox?EIO=4&transport=polling`)).status).toBe(404);
    expect((await fetch(`${url}/socket.io?EIO=4&transport=polling`)).status).toBe(200);
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(200);
  });

  it("works where Fastify ignores trailing slashes itself", async () => {
    const { url } = await startApp({}, { fastify: { routerOptions: { ignoreTrailingSlash: true } } });
    expect((await fetch(`${url}/socket.io?EIO=4&transport=polling`)).status).toBe(200);
    expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(200);
  });
});
