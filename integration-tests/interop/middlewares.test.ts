import { expect, it, vi } from "vitest";
import { connectClient, openClient, singleTransports } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

type RefusedError = Error & { data?: unknown };

interopSuite("connection middlewares", ({ startServer }) => {
  it.each(singleTransports)(
    "tells the client why it was refused, with the data of the error, over %s",
    async (travel) => {
      const server = await startServer();
      server.io.use((_socket, next) => {
        next(Object.assign(new Error("not authorized"), { data: { code: "E1", retry: [1, 2] } }));
      });
      const connected = vi.fn();
      server.io.on("connection", connected);

      const client = openClient(server.url, { travel });
      const [error] = await nextEvent<[RefusedError]>(client, "connect_error");

      expect(error).toBeInstanceOf(Error);
      expect(error.message).toBe("not authorized");
      expect(error.data).toEqual({ code: "E1", retry: [1, 2] });
      expect(client.active).toBe(false);
      expect(connected).not.toHaveBeenCalled();
      expect(server.io.sockets.sockets.size).toBe(0);
    },
  );

  it("sends no data when the error has none", async () => {
    const server = await startServer();
    server.io.use((_socket, next) => next(new Error("no")));

    const client = openClient(server.url);
    const [error] = await nextEvent<[RefusedError]>(client, "connect_error");

    expect(error.message).toBe("no");
    expect(error.data).toBeUndefined();
  });

  it("runs in order, asynchronous ones included, and hands over what the earlier ones stored", async () => {
    const server = await startServer();
    const order: number[] = [];
    server.io.use(async (socket, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(1);
      socket.data.user = socket.handshake.auth["user"];
      next();
    });
    server.io.use((socket, next) => {
      order.push(2);
      socket.data.seen = socket.data.user;
      next();
    });
    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");

    await connectClient(server.url, { auth: { user: "ada" } });

    expect((await accepted)[0].data).toEqual({ user: "ada", seen: "ada" });
    expect(order).toEqual([1, 2]);
  });

  it("stops at the first refusal", async () => {
    const server = await startServer();
    const second = vi.fn();
    server.io.use((_socket, next) => next(new Error("first")));
    server.io.use(second);

    const client = openClient(server.url);
    await nextEvent(client, "connect_error");

    expect(second).not.toHaveBeenCalled();
  });

  it("sees a socket that is not connected, is in no room and is reached by no broadcast", async () => {
    const server = await startServer();
    let state: unknown;
    server.io.use((socket, next) => {
      state = { connected: socket.connected, rooms: socket.rooms.size, sockets: server.io.sockets.sockets.size };
      server.io.emit("too early");
      next();
    });
    const client = openClient(server.url);
    const early = vi.fn();
    client.on("too early", early);
    await nextEvent(client, "connect");
    const after = nextEvent(client, "after");
    server.io.emit("after");
    await after;

    expect(state).toEqual({ connected: false, rooms: 0, sockets: 0 });
    expect(early).not.toHaveBeenCalled();
  });

  it("keeps a room joined in a middleware, unless the socket is refused", async () => {
    const server = await startServer();
    server.io.use((socket, next) => {
      void socket.join("early");
      next(socket.handshake.auth["refuse"] ? new Error("no") : undefined);
    });
    const { rooms } = server.io.of("/").adapter;

    await nextEvent(openClient(server.url, { auth: { refuse: true } }), "connect_error");
    expect(rooms.size).toBe(0);

    const client = await connectClient(server.url);
    const received = nextEvent(client, "hello");
    server.io.to("early").emit("hello");
    expect(await received).toEqual([]);
  });

  it("makes no connection of a client that left while it ran", async () => {
    const server = await startServer();
    const connected = vi.fn();
    server.io.on("connection", connected);
    const waiting = new Promise<[InteropSocket, () => void]>((resolve) => {
      server.io.use((socket, next) => resolve([socket, next]));
    });

    const client = openClient(server.url);
    const [socket, next] = await waiting;
    const closed = nextEvent(socket.conn, "close");
    client.disconnect();
    await closed;
    next();
    await new Promise((resolve) => setImmediate(resolve));

    expect(connected).not.toHaveBeenCalled();
    expect(socket.connected).toBe(false);
    expect(server.io.sockets.sockets.size).toBe(0);
  });

  it("lets a refused client try again with other credentials", async () => {
    const server = await startServer();
    server.io.use((socket, next) => next(socket.handshake.auth["token"] === "good" ? undefined : new Error("no")));
    const client = openClient(server.url, { travel: "upgrade", auth: { token: "bad" } });
    await nextEvent(client, "connect_error");

    client.auth = { token: "good" };
    const connected = nextEvent(client, "connect");
    client.connect();
    await connected;

    expect(client.connected).toBe(true);
  });

  it("refuses one namespace and leaves the other one of the same connection alone", async () => {
    const server = await startServer();
    server.io.of("/admin").use((_socket, next) => next(new Error("admins only")));
    const client = await connectClient(server.url, { travel: "upgrade" });

    const admin = client.io.socket("/admin");
    const [error] = await nextEvent<[RefusedError]>(admin, "connect_error");

    expect(error.message).toBe("admins only");
    expect(client.connected).toBe(true);
    expect(server.io.engine.clientsCount).toBe(1);
  });
});
