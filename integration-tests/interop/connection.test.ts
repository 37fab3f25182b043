import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { connectClient, connectPair, openClient, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

interopSuite("connection", ({ implementation, startServer }) => {
  it.each(travels)("connects a client over %s with one socket id on both sides", async (travel) => {
    const server = await startServer();

    const { client, socket } = await connectPair(server, { travel });

    expect(client.id).toBe(socket.id);
    expect(socket.id).toMatch(/^[\w-]{20}$/);
    expect(socket.connected).toBe(true);
    expect(client.recovered).not.toBe(true);
    const expected = travel === "polling" ? "polling" : "websocket";
    expect(socket.conn.transport.name).toBe(expected);
    expect(client.io.engine.transport.name).toBe(expected);
    expect(server.io.engine.clientsCount).toBe(1);
    expect(server.io.sockets.sockets.get(socket.id)).toBe(socket);
  });

  it.each(travels)("keeps the socket id from the session id over %s", async (travel) => {
    const server = await startServer();

    const { client, socket } = await connectPair(server, { travel });

    expect(Reflect.get(socket.conn, "id")).toBe(client.io.engine.id);
    expect(socket.id).not.toBe(client.io.engine.id);
  });

  it("gives every client its own ids", async () => {
    const server = await startServer();

    const first = await connectClient(server.url);
    const second = await connectClient(server.url, { travel: "polling" });

    expect(first.id).not.toBe(second.id);
    expect(server.io.engine.clientsCount).toBe(2);
    expect(server.io.sockets.sockets.size).toBe(2);
  });

  it.each(travels)("hands the auth object of the client to the handshake over %s", async (travel) => {
    const server = await startServer();

    const { socket } = await connectPair(server, { travel, auth: { token: "abc", nested: { list: [1, null] } } });

    expect(socket.handshake.auth).toEqual({ token: "abc", nested: { list: [1, null] } });
  });

  it("asks an auth function again for each connection", async () => {
    const server = await startServer();
    let calls = 0;
    const auth = (give: (data: object) => void): void => give({ call: ++calls });

    const { client, socket } = await connectPair(server, { auth });
    client.disconnect();
    const again = nextEvent<[InteropSocket]>(server.io, "connection");
    client.connect();

    expect(socket.handshake.auth).toEqual({ call: 1 });
    expect((await again)[0].handshake.auth).toEqual({ call: 2 });
  });

  it("gives an empty auth object when the client sends none", async () => {
    const server = await startServer();

    const { socket } = await connectPair(server);

    expect(socket.handshake.auth).toEqual({});
  });

  it.each(travels)("describes the first request in the handshake over %s", async (travel) => {
    const server = await startServer();
    const before = Date.now();

    const { socket } = await connectPair(server, {
      travel,
      query: { room: "a&b=ü", plain: "1" },
      extraHeaders: { "x-custom": "yes", origin: "http://example.test" },
    });

    const { handshake } = socket;
    const transport = travel === "websocket" ? "websocket" : "polling";
    expect(handshake.query).toMatchObject({ room: "a&b=ü", plain: "1", EIO: "4", transport });
    expect(handshake.query["sid"]).toBeUndefined();
    expect(handshake.headers["x-custom"]).toBe("yes");
    expect(handshake.url).toMatch(/^\/socket\.io\/\?/);
    expect(handshake.address).toBe("127.0.0.1");
    expect(handshake.secure).toBe(false);
    expect(handshake.xdomain).toBe(true);
    expect(handshake.issued).toBeGreaterThanOrEqual(before);
    expect(handshake.issued).toBeLessThanOrEqual(Date.now());
    expect(Math.abs(Date.parse(handshake.time) - handshake.issued)).toBeLessThan(2000);
    expect(socket.request.headers["x-custom"]).toBe("yes");
    expect(socket.conn.remoteAddress).toBe("127.0.0.1");
  });

  it("knows a request without an Origin header as one of the same domain", async () => {
    const server = await startServer();

    const { socket } = await connectPair(server);

    expect(socket.handshake.xdomain).toBe(false);
  });

  it.each(travels)("delivers what the connection handler emits after the connect event over %s", async (travel) => {
    const server = await startServer();
    server.io.on("connection", (socket) => void socket.emit("welcome"));
    const client = openClient(server.url, { travel });
    const order: string[] = [];
    client.on("connect", () => order.push("connect"));
    client.on("welcome", () => order.push("welcome"));

    await nextEvent(client, "welcome");

    expect(order).toEqual(["connect", "welcome"]);
  });

  it.each(travels)("never misses an event sent as soon as the client is connected over %s", async (travel) => {
    const server = await startServer();
    const received = vi.fn();
    server.io.on("connection", (socket) => {
      socket.on("immediate", (value, reply) => {
        received(value);
        reply();
      });
    });
    const client = openClient(server.url, { travel });

    await new Promise<void>((resolve) => {
      client.on("connect", () => client.emit("immediate", 7, resolve));
    });

    expect(received).toHaveBeenCalledExactlyOnceWith(7);
  });

  it("delivers what the client emitted before it was connected", async () => {
    const server = await startServer();
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    const client = openClient(server.url, { travel: "upgrade" });
    client.emit("early", 1);
    client.emit("early", 2);

    const [socket] = await accepted;
    const seen: unknown[] = [];
    socket.on("early", (value) => seen.push(value));
    client.emit("last");
    await nextEvent(socket, "last");

    expect(seen).toEqual([1, 2]);
  });

  it.each([
    { server: "/custom", client: "/custom" },
    { server: "/custom/", client: "/custom" },
    { server: "/deep/er", client: "/deep/er/" },
  ])("serves the path $server to a client that asks for $client", async (path) => {
    const server = await startServer({ path: path.server });

    const client = await connectClient(server.url, { path: path.client, travel: "upgrade" });

    expect(client.connected).toBe(true);
    expect(server.io.path()).toBe(path.server.replace(/\/$/, ""));
  });

  it("serves a path without a trailing slash when told so", async () => {
    const server = await startServer({ addTrailingSlash: false });

    const client = await connectClient(server.url, { addTrailingSlash: false, travel: "upgrade" });

    expect(client.connected).toBe(true);
  });

  it("gives query and sessions the methods that programs expect of an object", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server, { query: { token: "abc" } });
    const { query } = socket.handshake;
    const clients = Reflect.get(server.io.engine, "clients") as Record<string, unknown>;

    expect([query.hasOwnProperty("token"), query.hasOwnProperty("other")]).toEqual([true, false]);
    expect(String(query)).toBe("[object Object]");
    expect(clients.hasOwnProperty(Reflect.get(socket.client, "id"))).toBe(true);
  });

  it("calls its objects by the names of their classes", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server);
    const { io } = server;

    const objects = [io, io.sockets, io.of(/^\/x/), socket, socket.client, io.to("a"), io.sockets.adapter];
    expect(objects.map((object) => object.constructor.name)).toEqual([
      "Server",
      "Namespace",
      "ParentNamespace",
      "Socket",
      "Client",
      "BroadcastOperator",
      "Adapter",
    ]);
    expect([io.engine, socket.conn].map((object) => object.constructor.name)).toEqual(["Server", "Socket"]);
  });

  it.each([{ target: "" }, { target: false }])("attaches to nothing when given $target", ({ target }) => {
    const io = implementation.createServer(target as never, {});

    expect(io.httpServer).toBeUndefined();
  });

  it.each([{ target: null }, { target: undefined }, { target: "not a port" }])(
    "throws when asked to attach to $target",
    ({ target }) => {
      const io = implementation.createServer(undefined, {});

      expect(() => io.attach(target as never)).toThrow(TypeError);
      expect(io.httpServer).toBeUndefined();
    },
  );

  it("lets the size limit given to attach() hold for messages with attachments", async () => {
    const io = implementation.createServer(undefined, {});
    const webServer = createServer();
    io.attach(webServer, { maxHttpBufferSize: 3e7 });
    webServer.listen(0, "127.0.0.1");
    await nextEvent(webServer, "listening");
    onTestFinished(() => io.close());
    const url = `http://127.0.0.1:${(webServer.address() as AddressInfo).port}`;
    io.on("connection", (socket) => {
      socket.on("upload", (bytes: Buffer, reply: (length: number) => void) => reply(bytes.length));
    });
    const client = await connectClient(url);

    expect(await client.timeout(5000).emitWithAck("upload", Buffer.alloc(2e7))).toBe(2e7);
  });

  it("stays on polling when upgrades are not allowed", async () => {
    const server = await startServer({ allowUpgrades: false });

    const { client, socket } = await connectPair(server, { transports: ["polling", "websocket"] });
    for (let round = 0; round < 5; round++) {
      const heard = nextEvent(client, "round");
      socket.emit("round");
      await heard;
    }

    expect(socket.conn.transport.name).toBe("polling");
    expect(socket.conn.upgraded).toBe(false);
  });
});
