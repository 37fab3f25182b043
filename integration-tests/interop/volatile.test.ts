import { expect, it } from "vitest";
import { connectClient, connectPair, openClient, singleTransports } from "../support/connect-client.js";
import { eventsUntilFence } from "../support/events-until-fence.js";
import { interopSuite } from "../support/interop-suite.js";
import { nextEvent } from "../support/next-event.js";
import { whenWritable } from "../support/when-writable.js";

interopSuite("volatile and compress", ({ startServer }) => {
  it("delivers a volatile event to a client that is ready for it", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const received = nextEvent(client, "position");

    await whenWritable(socket.conn);
    socket.volatile.emit("position", 1, Buffer.from([2]));

    expect(await received).toEqual([1, Buffer.from([2])]);
  });

  it("drops the volatile event that follows another one at once, and no other event", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const received = eventsUntilFence(client);

    await whenWritable(socket.conn);
    socket.volatile.emit("position", 1);
    socket.volatile.emit("position", 2);
    socket.emit("regular", 3);
    socket.volatile.emit("position", 4);
    socket.emit("fence");

    expect(await received).toEqual([
      ["position", 1],
      ["regular", 3],
    ]);
  });

  it("sends a volatile binary event whole or not at all", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const received = eventsUntilFence(client);
    const parts = [Buffer.from([1]), Buffer.from([2])];

    await whenWritable(socket.conn);
    socket.volatile.emit("position", ...parts);
    socket.volatile.emit("position", ...parts);
    socket.emit("fence", ...parts);

    expect(await received).toEqual([["position", ...parts]]);
  });

  it.each(singleTransports)("drops a volatile event behind the packet that connects over %s", async (transport) => {
    const server = await startServer();
    server.io.on("connection", (socket) => {
      socket.volatile.emit("lost");
      socket.emit("kept");
      socket.emit("fence");
    });

    const client = openClient(server.url, { travel: transport });

    expect(await eventsUntilFence(client)).toEqual([["kept"]]);
  });

  it("applies the volatile flag of a broadcast to each target", async () => {
    const server = await startServer();
    const ends = [await connectPair(server), await connectPair(server)];
    const received = ends.map(({ client }) => eventsUntilFence(client));

    for (const { socket } of ends) await whenWritable(socket.conn);
    ends[0]?.socket.emit("busy");
    server.io.volatile.emit("position");
    server.io.emit("fence");

    expect(await Promise.all(received)).toEqual([[["busy"]], [["position"]]]);
  });

  it("forgets the volatile flag after the emit that used it", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const received = eventsUntilFence(client);

    await whenWritable(socket.conn);
    socket.volatile.emit("first");
    socket.emit("second");
    socket.emit("fence");

    expect(await received).toEqual([["first"], ["second"]]);
  });

  it("takes volatile events of a client like any other", async () => {
    const server = await startServer();
    const { client, socket } = await connectPair(server);
    const received = nextEvent(socket, "position");

    client.volatile.emit("position", 1);

    expect(await received).toEqual([1]);
  });

  it.each(singleTransports)("delivers events whose compression is refused over %s", async (transport) => {
    const server = await startServer({ perMessageDeflate: { threshold: 0 }, httpCompression: { threshold: 0 } });
    const client = await connectClient(server.url, { travel: transport });
    const received = eventsUntilFence(client);

    server.io.compress(false).emit("plain", "x".repeat(2000));
    server.io.compress(true).emit("compressed", "x".repeat(2000));
    for (const socket of server.io.sockets.sockets.values()) socket.compress(false).emit("fence");

    expect(await received).toEqual([
      ["plain", "x".repeat(2000)],
      ["compressed", "x".repeat(2000)],
    ]);
  });
});
