import { expect, it, vi } from "vitest";
import { connectClient, connectPair, openClient, travels } from "../support/connect-client.js";
import { eventsUntilFence } from "../support/events-until-fence.js";
import { stopTimers } from "../support/fake-clock.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropNamespace, InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

interopSuite("namespaces", ({ startServer }) => {
  it.each(travels)("carries two namespaces on one connection without mixing them over %s", async (travel) => {
    const server = await startServer();
    const chat = server.io.of("/chat");
    const { client, socket } = await connectPair(server, { travel });
    const accepted = nextEvent<[InteropSocket]>(chat, "connection");
    const chatClient = client.io.socket("/chat");
    const [chatSocket] = await accepted;
    if (!chatClient.connected) await nextEvent(chatClient, "connect");

    const atMain = eventsUntilFence(client);
    const atChat = eventsUntilFence(chatClient);
    server.io.emit("main only", 1);
    chat.emit("chat only", Buffer.from([2]));
    server.io.emit("fence");
    chat.emit("fence");

    expect(await atMain).toEqual([["main only", 1]]);
    expect(await atChat).toEqual([["chat only", Buffer.from([2])]]);
    chatSocket.on("echo", (value: unknown, reply: (value: unknown) => void) => reply(value));
    expect(await chatClient.emitWithAck("echo", Buffer.from([3]))).toEqual(Buffer.from([3]));
    expect(chatSocket.conn).toBe(socket.conn);
    expect(chatSocket.id).not.toBe(socket.id);
    expect(server.io.engine.clientsCount).toBe(1);
  });

  it("connects a client to a namespace without its joining the main one", async () => {
    const server = await startServer();
    const main = vi.fn();
    server.io.use(main);
    server.io.on("connection", main);

    const { socket } = await connectPair(server, { namespace: "/chat" });

    expect(socket.nsp.name).toBe("/chat");
    expect(main).not.toHaveBeenCalled();
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  it("gives each namespace its own auth and shares the query", async () => {
    const server = await startServer();
    server.io.of("/a");
    const accepted = nextEvent<[InteropSocket]>(server.io.of("/a"), "connection");
    const { client, socket } = await connectPair(server, { auth: { of: "main" }, query: { shared: "yes" } });

    client.io.socket("/a", { auth: { of: "a" } });
    const [other] = await accepted;

    expect(socket.handshake.auth).toEqual({ of: "main" });
    expect(other.handshake.auth).toEqual({ of: "a" });
    expect(other.handshake.query["shared"]).toBe("yes");
  });

  it("leaves one namespace and keeps the other", async () => {
    const server = await startServer();
    server.io.of("/chat");
    const { client, socket } = await connectPair(server);
    const accepted = nextEvent<[InteropSocket]>(server.io.of("/chat"), "connection");
    const chatClient = client.io.socket("/chat");
    const [chatSocket] = await accepted;

    const left = nextEvent(chatSocket, "disconnect");
    await nextEvent(chatClient, "connect");
    chatClient.disconnect();

    expect((await left)[0]).toBe("client namespace disconnect");
    expect(socket.connected).toBe(true);
    const again = nextEvent<[InteropSocket]>(server.io.of("/chat"), "connection");
    chatClient.connect();
    expect((await again)[0].id).not.toBe(chatSocket.id);
    const heard = nextEvent(client, "still here");
    socket.emit("still here");
    await heard;
  });

  it.each(travels)("refuses an unknown namespace and keeps the connection over %s", async (travel) => {
    const server = await startServer();
    const client = await connectClient(server.url, { travel });

    const unknown = client.io.socket("/unknown");
    const [error] = await nextEvent<[Error]>(unknown, "connect_error");

    expect(error.message).toBe("Invalid namespace");
    expect(unknown.active).toBe(false);
    expect(client.connected).toBe(true);
  });

  it("takes a query in the name of a namespace for a part of the name", async () => {
    const server = await startServer();
    server.io.of("/chat");
    const client = await connectClient(server.url);

    const unknown = client.io.socket("/chat?room=1");
    const [error] = await nextEvent<[Error]>(unknown, "connect_error");

    expect(error.message).toBe("Invalid namespace");
  });

  it("finds a namespace with or without its slash and adds a handler each time", async () => {
    const server = await startServer();
    const handlers = [vi.fn(), vi.fn()];

    const namespace = server.io.of("chat", handlers[0]);
    expect(server.io.of("/chat", handlers[1])).toBe(namespace);
    expect(server.io.of("")).toBe(server.io.of("/"));
    await connectPair(server, { namespace: "/chat" });

    for (const handler of handlers) expect(handler).toHaveBeenCalledOnce();
  });

  it("creates namespaces that match a regular expression", async () => {
    const server = await startServer();
    const parent = server.io.of(/^\/dynamic-\d+$/);
    const created = nextEvent<[InteropNamespace]>(server.io, "new_namespace");
    const accepted = nextEvent<[InteropSocket]>(parent, "connection");

    const client = await connectClient(`${server.url}/dynamic-101`);
    const [socket] = await accepted;

    expect((await created)[0].name).toBe("/dynamic-101");
    expect(socket.nsp.name).toBe("/dynamic-101");
    expect(client.id).toBe(socket.id);
    const refused = openClient(`${server.url}/dynamic-abc`);
    expect((await nextEvent<[Error]>(refused, "connect_error"))[0].message).toBe("Invalid namespace");
  });

  it("asks functions, in order, whether a namespace may be created", async () => {
    const server = await startServer();
    const asked: unknown[] = [];
    server.io.of((name, auth, next) => {
      asked.push(["first", name, auth]);
      next(null, false);
    });
    server.io.of((name, auth, next) => {
      asked.push(["second", name]);
      setImmediate(() => next(null, auth["token"] === "good"));
    });

    await connectClient(`${server.url}/made`, { auth: { token: "good" } });
    const refused = openClient(`${server.url}/other`, { auth: { token: "bad" } });
    await nextEvent(refused, "connect_error");

    expect(asked).toEqual([
      ["first", "/made", { token: "good" }],
      ["second", "/made"],
      ["first", "/other", { token: "bad" }],
      ["second", "/other"],
    ]);
  });

  it("creates one namespace for clients that ask for it at the same time", async () => {
    const server = await startServer();
    const created = vi.fn();
    server.io.on("new_namespace", created);
    const approvals: (() => void)[] = [];
    server.io.of((_name, _auth, next) => {
      approvals.push(() => next(null, true));
      if (approvals.length === 3) for (const approve of approvals) approve();
    });

    await Promise.all([1, 2, 3].map(async () => connectClient(`${server.url}/once`)));

    expect(created).toHaveBeenCalledOnce();
    expect(server.io.of("/once").sockets.size).toBe(3);
  });

  it("applies the middlewares and broadcasts of a parent to its children", async () => {
    const server = await startServer();
    const parent = server.io.of(/^\/tenant-/);
    parent.use((socket, next) => {
      socket.data.checked = true;
      next();
    });
    parent.on("connection", (socket) => void socket.join("room"));
    const first = await connectClient(`${server.url}/tenant-1`);
    const second = await connectClient(`${server.url}/tenant-2`);

    const seen = [eventsUntilFence(first), eventsUntilFence(second)];
    parent.emit("to all");
    parent.to("room").emit("to room");
    server.io.of("/tenant-1").emit("to one");
    parent.emit("fence");

    expect(await Promise.all(seen)).toEqual([
      [["to all"], ["to room"], ["to one"]],
      [["to all"], ["to room"]],
    ]);
    const [socket] = server.io.of("/tenant-2").sockets.values();
    expect(socket?.data.checked).toBe(true);
  });

  it("makes a namespace by hand a child of the regular expression that matches it", async () => {
    const server = await startServer();
    const parent = server.io.of(/^\/dynamic-\d+$/);
    const connected = vi.fn();
    parent.on("connection", connected);

    const child = server.io.of("/dynamic-101");
    const { client } = await connectPair(server, { namespace: "/dynamic-101" });
    const received = nextEvent(client, "hello");
    parent.emit("hello");
    await received;

    expect(child.sockets.size).toBe(1);
    expect(connected).toHaveBeenCalledOnce();
  });

  it("removes a dynamic namespace whose only socket was refused, if asked to", async () => {
    const server = await startServer({ cleanupEmptyChildNamespaces: true });
    server.io.of(/^\/dynamic$/).use((_socket, next) => next(new Error("no")));

    await nextEvent(openClient(`${server.url}/dynamic`), "connect_error");

    expect([...server.io._nsps.keys()]).toEqual(["/"]);
  });

  it("removes a dynamic namespace when its last socket is gone, if asked to, and makes it again", async () => {
    const server = await startServer({ cleanupEmptyChildNamespaces: true });
    server.io.of(/^\/dynamic$/);
    server.io.of("/static");
    const existing = (): string[] => [...server.io._nsps.keys()];

    for (let round = 0; round < 2; round++) {
      const client = await connectClient(`${server.url}/dynamic`);
      expect(existing()).toEqual(["/", "/static", "/dynamic"]);
      const [socket] = server.io.of("/dynamic").sockets.values();
      const gone = nextEvent(socket ?? {}, "disconnect");
      client.disconnect();
      await gone;
      await new Promise((resolve) => setImmediate(resolve));
      expect(existing()).toEqual(["/", "/static"]);
    }
  });

  it("closes a connection that joins no namespace in time", async () => {
    stopTimers();
    const server = await startServer({ connectTimeout: 10_000 });
    const client = openClient(server.url, { autoConnect: false });

    const opened = nextEvent(client.io, "open");
    const closed = nextEvent(client.io, "close");
    client.io.open();
    await opened;
    vi.advanceTimersByTime(10_000);

    expect((await closed)[0]).toBe("transport close");
    expect(server.io.engine.clientsCount).toBe(0);
  });
});
