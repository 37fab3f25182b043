import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { connectClient, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";
import { endpoint, openRawWebSocket } from "../support/raw-session.js";

afterEach(() => void vi.useRealTimers());

/** How long an upgrade stays open that is nobody's, unless a test says otherwise. */
const DESTROY_UPGRADE_MS = 1000;

const upgradeRequest = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async function rawConnection(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Both ends of a connection that asked for an upgrade on a path that nobody serves, once the request was read. */
async function upgradeForNobody(server: ListeningServer): Promise<{ socket: Socket; serverSide: Socket }> {
  const accepted = once(server.webServer, "connection");
  const socket = await rawConnection(server.port);
  const [serverSide] = (await accepted) as [Socket];
  const text = upgradeRequest("/nobody");
  socket.write(text);
  // A listener for the upgrade itself would be somebody who might take it.
  while (serverSide.bytesRead < text.length) await new Promise((resolve) => setImmediate(resolve));
  return { socket, serverSide };
}

/** The 101 answer to an upgrade whose key is that of the example in RFC 6455. */
async function acceptedUpgrade(server: ListeningServer): Promise<IncomingMessage> {
  const req = request(`${endpoint(server)}?EIO=4&transport=websocket`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  }).end();
  const [response, socket] = (await once(req, "upgrade")) as [IncomingMessage, Socket];
  socket.destroy();
  return response;
}

interopSuite("the web server below", ({ startServer, implementation, oursOnly }) => {
  it("gives foreign requests, and no others, to every listener that was there before", async () => {
    const webServer: Server = createServer();
    const calls: string[] = [];
    const first = function (this: unknown, req: IncomingMessage): void {
      calls.push(`first ${req.url} ${this === webServer}`);
    };
    webServer.on("request", first);
    webServer.on("request", (req: IncomingMessage, res: ServerResponse) => {
      calls.push(`second ${req.url}`);
      res.end("not ours");
    });
    const server = await startServer({}, { webServer });

    const foreign = await fetch(`${server.url}/socket.iox/?EIO=4&transport=polling`);
    const ours = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);

    expect(await foreign.text()).toBe("not ours");
    expect(await ours.text()).toMatch(/^0\{/);
    expect(calls).toEqual([
      "first /socket.iox/?EIO=4&transport=polling true",
      "second /socket.iox/?EIO=4&transport=polling",
    ]);
  });

  it("takes every path with its prefix when it has no trailing slash", async () => {
    const server = await startServer({ addTrailingSlash: false });

    for (const path of ["/socket.io", "/socket.io/", "/socket.io/deep", "/socket.ioX"]) {
      const response = await fetch(`${server.url}${path}?EIO=4&transport=polling`);
      expect(await response.text()).toMatch(/^0\{/);
    }
  });

  it("answers 404 to foreign requests on a server of its own", async () => {
    const io = implementation.createServer(undefined, {});
    io.listen(0);
    await once(io.httpServer, "listening");
    const address = io.httpServer.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const response = await fetch(`http://127.0.0.1:${port}/other`);
    await response.text();
    await io.close();

    expect(response.status).toBe(404);
  });

  it("refuses to be attached to a request handler", async () => {
    const handler = (): void => undefined;

    expect(() => implementation.createServer(handler as unknown as Server, {})).toThrow(
      "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.",
    );
  });

  it("leaves a foreign upgrade to the listener that takes it", async () => {
    const server = await startServer();
    const taken: Duplex[] = [];
    server.webServer.on("upgrade", (_req: IncomingMessage, socket: Duplex) => {
      taken.push(socket);
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\nhello");
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = await rawConnection(server.port);
    const [data] = await Promise.all([once(socket, "data"), socket.write(upgradeRequest("/mine"))]);
    vi.advanceTimersByTime(DESTROY_UPGRADE_MS + 10);

    expect(String(data[0])).toContain("hello");
    expect(taken[0]?.writable).toBe(true);
    taken[0]?.destroy();
  });

  it("ends a foreign upgrade that nobody takes, after a while", async () => {
    const server = await startServer({ destroyUpgradeTimeout: 50 });
    const socket = await rawConnection(server.port);
    const since = performance.now();

    socket.write(upgradeRequest("/nobody"));
    socket.resume();
    await once(socket, "end");

    expect(performance.now() - since).toBeGreaterThan(40);
  });

  it("survives a foreign upgrade that is reset before it is ended", async () => {
    const server = await startServer({ destroyUpgradeTimeout: 10_000 });
    const { socket, serverSide } = await upgradeForNobody(server);

    const closed = nextEvent(serverSide, "close");
    socket.resetAndDestroy();
    await closed;

    await openRawWebSocket(server);
  });

  it("listens for errors of a foreign upgrade even if another listener might take it", async () => {
    const server = await startServer({ destroyUpgradeTimeout: 10_000 });
    server.webServer.on("upgrade", () => undefined);

    const { serverSide } = await upgradeForNobody(server);

    // Without a listener, a connection that is reset would end the process.
    const listeners = serverSide.listenerCount("error");
    serverSide.destroy();
    expect(listeners).toBeGreaterThan(0);
  });

  it("leaves foreign upgrades open when told so", async () => {
    const server = await startServer({ destroyUpgrade: false });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { serverSide } = await upgradeForNobody(server);

    vi.advanceTimersByTime(DESTROY_UPGRADE_MS + 10);

    expect(serverSide.writable).toBe(true);
    serverSide.destroy();
  });

  it.each(travels)("shares its web server with a second one on another path over %s", async (travel) => {
    const server = await startServer({ path: "/first" });
    const second = implementation.createServer(server.webServer, { path: "/second" });
    type Answer = (from: string) => void;
    server.io.on("connection", (socket) => void socket.on("whose", (answer: Answer) => answer("first")));
    second.on("connection", (socket) => void socket.on("whose", (answer: Answer) => answer("second")));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });

    const toFirst = await connectClient(server.url, { path: "/first", travel });
    const toSecond = await connectClient(server.url, { path: "/second", travel });
    vi.advanceTimersByTime(DESTROY_UPGRADE_MS + 10);

    expect(await toFirst.emitWithAck("whose")).toBe("first");
    expect(await toSecond.emitWithAck("whose")).toBe("second");
    expect(server.io.engine.clientsCount).toBe(1);
    expect(second.engine.clientsCount).toBe(1);
    second.engine.close();
  });

  it("lets the constructor's options win over those of attach", async () => {
    const webServer = createServer();
    const io = implementation.createServer(undefined, { pingTimeout: 1234 });
    io.attach(webServer, { pingInterval: 4321, pingTimeout: 1 });
    webServer.listen(0, "127.0.0.1");
    await once(webServer, "listening");
    const address = webServer.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const response = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`);
    const body = await response.text();
    await io.close();

    expect(JSON.parse(body.slice(1))).toMatchObject({ pingInterval: 4321, pingTimeout: 1234 });
  });

  it("adds the headers of middlewares and listeners to the answer of an upgrade", async () => {
    const server = await startServer({ cookie: true });
    server.io.engine.use((_req: unknown, res: ServerResponse, next: () => void) => {
      res.setHeader("x-middleware", "yes");
      res.setHeader("set-cookie", "a=1");
      next();
    });
    server.io.engine.on("headers", (headers: Record<string, unknown>) => {
      headers["x-each"] = "1";
    });
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      headers["x-initial"] = "1";
    });

    const response = await acceptedUpgrade(server);

    expect(response.statusCode).toBe(101);
    expect(response.headers).toMatchObject({ "x-middleware": "yes", "x-each": "1", "x-initial": "1" });
    expect(response.headers["set-cookie"]).toEqual(["a=1"]);
    expect(response.headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  oursOnly("keeps two cookies of an upgrade apart", "there they are joined into one", async () => {
    const server = await startServer();
    server.io.engine.use((_req: unknown, res: ServerResponse, next: () => void) => {
      res.setHeader("set-cookie", ["a=1", "b=2"]);
      next();
    });

    const response = await acceptedUpgrade(server);

    expect(response.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });
});
