import { expect, it } from "vitest";
import { connectPair, type ClientSocket } from "../support/connect-client.js";
import { eventsUntilFence } from "../support/events-until-fence.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { interopSuite } from "../support/interop-suite.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";

interface End {
  readonly client: ClientSocket;
  readonly socket: InteropSocket;
}

/** Clients 0, 1 and 2: over polling, websocket and after an upgrade. */
async function threeEnds(server: ListeningServer): Promise<[End, End, End]> {
  const polling = await connectPair(server, { travel: "polling" });
  const websocket = await connectPair(server, { travel: "websocket" });
  return [polling, websocket, await connectPair(server, { travel: "upgrade" })];
}

/** Runs `broadcasts` and tells which of the clients got which events. */
async function received(server: ListeningServer, ends: readonly End[], broadcasts: () => void): Promise<string[][]> {
  const seen = ends.map(({ client }) => eventsUntilFence(client));
  broadcasts();
  server.io.emit("fence");
  return (await Promise.all(seen)).map((events) => events.map(([name]) => String(name)));
}

interopSuite("rooms", ({ startServer }) => {
  it("broadcasts to everyone, to a room and to all but a room", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    void ends[0].socket.join("a");
    void ends[1].socket.join(["a", "b"]);

    const events = await received(server, ends, () => {
      server.io.emit("all");
      server.io.to("a").emit("to a");
      server.io.in("b").emit("in b");
      server.io.except("a").emit("except a");
      server.io.to("nobody").emit("to nobody");
    });

    expect(events).toEqual([
      ["all", "to a"],
      ["all", "to a", "in b"],
      ["all", "except a"],
    ]);
  });

  it("reaches a socket once, however many of the chained rooms it is in", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    void ends[0].socket.join(["a", "b"]);
    void ends[1].socket.join(["b", "c"]);
    void ends[2].socket.join(["c", "out"]);

    const events = await received(server, ends, () => {
      server.io.to("a").to("b").in("c").emit("chained");
      server.io.to(["a", "b", "c"]).except("out").emit("array");
      server.io.to("a").to("c").except(["b", "out"]).emit("except two");
    });

    expect(events).toEqual([["chained", "array"], ["chained", "array"], ["chained"]]);
  });

  it("leaves the sender out of what a socket broadcasts", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    for (const { socket } of ends) void socket.join("a");
    const [first, second] = ends;

    const events = await received(server, ends, () => {
      first.socket.broadcast.emit("broadcast");
      first.socket.to("a").emit("to a");
      first.socket.in("a").emit("in a");
      first.socket.except(second.socket.id).emit("except second");
      first.socket.broadcast.except(second.socket.id).emit("broadcast except second");
      first.socket.local.emit("local");
      first.socket.emit("own");
    });

    expect(events).toEqual([
      ["own"],
      ["broadcast", "to a", "in a", "local"],
      ["broadcast", "to a", "in a", "except second", "broadcast except second", "local"],
    ]);
  });

  it("reaches one socket through the room of its id", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    const [first, second, third] = ends;

    const events = await received(server, ends, () => {
      server.io.to(first.socket.id).emit("from server");
      second.socket.to(third.socket.id).emit("from socket");
      second.socket.to(second.socket.id).emit("to oneself");
    });

    expect(events).toEqual([["from server"], [], ["from socket"]]);
  });

  it("does not reach a socket that left", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    void ends[0].socket.join(["a", "b"]);
    void ends[1].socket.join("a");
    void ends[0].socket.leave("a");

    const events = await received(server, ends, () => {
      server.io.to("a").emit("to a");
      server.io.to("b").emit("to b");
    });

    expect(events).toEqual([["to b"], ["to a"], []]);
    expect([...ends[0].socket.rooms]).toEqual([ends[0].socket.id, "b"]);
  });

  it("keeps the operators of a chain apart", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    void ends[0].socket.join("a");
    void ends[1].socket.join("b");
    const base = server.io.to("a");

    const events = await received(server, ends, () => {
      base.to("b").emit("a and b");
      base.except("a").emit("a except a");
      base.emit("a only");
    });

    expect(events).toEqual([["a and b", "a only"], ["a and b"], []]);
  });

  it("tells apart rooms that differ only in type", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    void ends[0].socket.join(42 as unknown as string);
    void ends[1].socket.join("42");

    const events = await received(server, ends, () => {
      server.io.to("42").emit("text");
      server.io.to(42 as unknown as string).emit("number");
    });

    expect(events).toEqual([["number"], ["text"], []]);
  });

  it("shows the rooms of a socket until it is gone and forgets the empty ones", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    void socket.join(["a", "b"]);
    const { rooms } = server.io.of("/").adapter;
    let leaving: string[] = [];
    socket.on("disconnecting", () => {
      leaving = [...socket.rooms];
    });

    const gone = nextEvent(socket, "disconnect");
    client.disconnect();
    await gone;

    expect(leaving).toEqual([socket.id, "a", "b"]);
    expect(socket.rooms.size).toBe(0);
    expect(rooms.size).toBe(0);
  });

  it("lets a socket that is gone join nothing", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server);

    socket.disconnect();
    void socket.join("late");

    expect(server.io.of("/").adapter.rooms.size).toBe(0);
  });

  it("announces rooms that come and go", async () => {
    const server = await startServer();
    const { socket } = await connectPair(server);
    const { adapter } = server.io.of("/");
    const log: unknown[][] = [];
    for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
      adapter.on(event, (...args: unknown[]) => log.push([event, ...args]));
    }

    void socket.join("a");
    void socket.join("a");
    void socket.leave("a");

    expect(log).toEqual([
      ["create-room", "a"],
      ["join-room", "a", socket.id],
      ["leave-room", "a", socket.id],
      ["delete-room", "a"],
    ]);
  });

  it("broadcasts to a thousand rooms at once", async () => {
    const server = await startServer();
    const ends = await threeEnds(server);
    const rooms = Array.from({ length: 1000 }, (_, index) => `room ${index}`);
    void ends[0].socket.join(rooms);
    void ends[1].socket.join("room 999");

    const events = await received(server, ends, () => server.io.to(rooms).emit("many"));

    expect(events).toEqual([["many"], ["many"], []]);
  });
});
