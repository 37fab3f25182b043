import { expect, it } from "vitest";
import { connectPair } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";

async function threeEnds(server: ListeningServer) {
  const first = await connectPair(server, { travel: "polling" });
  const second = await connectPair(server);
  const third = await connectPair(server, { travel: "upgrade" });
  void first.socket.join(["a", "b"]);
  void second.socket.join("a");
  return { first, second, third };
}

const ids = (sockets: Iterable<{ id: string }>): string[] => Array.from(sockets, ({ id }) => id).toSorted();

interopSuite("utilities for many sockets", ({ startServer }) => {
  it("fetches the sockets of the server, of rooms and of all other rooms", async () => {
    const server = await startServer();
    const { first, second, third } = await threeEnds(server);

    expect(ids(await server.io.fetchSockets())).toEqual(ids([first.socket, second.socket, third.socket]));
    expect(ids(await server.io.in("a").fetchSockets())).toEqual(ids([first.socket, second.socket]));
    expect(ids(await server.io.in("a").except("b").fetchSockets())).toEqual([second.socket.id]);
    expect(ids(await server.io.except("a").fetchSockets())).toEqual([third.socket.id]);
    expect(ids(await first.socket.broadcast.fetchSockets())).toEqual(ids([second.socket, third.socket]));
    expect(await server.io.in("nobody").fetchSockets()).toEqual([]);
    expect(await server.io.of("/other").fetchSockets()).toEqual([]);
  });

  it("shows the id, handshake, rooms and data of a fetched socket", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { auth: { token: 1 } });
    socket.data = { user: "ada" };
    void socket.join("a");

    const [remote] = await server.io.fetchSockets();

    expect(remote?.id).toBe(client.id);
    expect(remote?.handshake.auth).toEqual({ token: 1 });
    expect(remote?.handshake.address).toBe("127.0.0.1");
    expect([...(remote?.rooms ?? [])]).toEqual([socket.id, "a"]);
    expect(remote?.data).toEqual({ user: "ada" });
  });

  it("acts on a fetched socket", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const [remote] = await server.io.fetchSockets();

    const received = nextEvent(client, "hello");
    const gone = nextEvent(client, "disconnect");
    remote?.join("a");
    expect([...socket.rooms]).toEqual([socket.id, "a"]);
    remote?.leave("a");
    expect([...socket.rooms]).toEqual([socket.id]);
    remote?.emit("hello", 1);
    expect(await received).toEqual([1]);
    remote?.disconnect(true);

    expect((await gone)[0]).toBe("io server disconnect");
  });

  it("makes all sockets of a selection join and leave rooms", async () => {
    const server = await startServer();
    const { first, second, third } = await threeEnds(server);

    server.io.socketsJoin(["x", "y"]);
    server.io.in("b").socketsJoin("only first");
    server.io.except("a").socketsLeave("x");
    server.io.in("a").socketsLeave(["y"]);

    expect([...first.socket.rooms]).toEqual([first.socket.id, "a", "b", "x", "only first"]);
    expect([...second.socket.rooms]).toEqual([second.socket.id, "a", "x"]);
    expect([...third.socket.rooms]).toEqual([third.socket.id, "y"]);
  });

  it("disconnects the sockets of a selection and no other", async () => {
    const server = await startServer();
    const { first, second, third } = await threeEnds(server);
    const gone = [nextEvent(first.client, "disconnect"), nextEvent(second.client, "disconnect")];

    server.io.in("a").disconnectSockets();

    for (const [reason] of await Promise.all(gone)) expect(reason).toBe("io server disconnect");
    expect(third.client.connected).toBe(true);
    expect(ids(await server.io.fetchSockets())).toEqual([third.socket.id]);
  });

  it("closes the connections of all disconnected sockets when asked to", async () => {
    const server = await startServer();
    const { first, second, third } = await threeEnds(server);
    const closed = [first, second, third].map(({ socket }) => nextEvent(socket.conn, "close"));

    server.io.disconnectSockets(true);
    await Promise.all(closed);

    expect(server.io.engine.clientsCount).toBe(0);
  });

  it("keeps an emit in front of the disconnection that follows it", async () => {
    const server = await startServer();
    const { first, second } = await threeEnds(server);
    const order: string[] = [];
    const gone = [first, second].map(({ client }) => {
      client.on("last words", () => order.push("last words"));
      client.on("disconnect", () => order.push("disconnect"));
      return nextEvent(client, "disconnect");
    });

    server.io.in("a").emit("last words");
    server.io.in("a").disconnectSockets(true);
    await Promise.all(gone);

    expect(order.toSorted()).toEqual(["disconnect", "disconnect", "last words", "last words"]);
    expect(order[0]).toBe("last words");
  });
});
