import { expect, it } from "vitest";
import { clientVersions, connectClient, connectPair, openClient, travels } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

type Reply = (value: unknown) => void;

const matrix = clientVersions.flatMap((version) => travels.map((travel) => ({ version, travel })));

interopSuite("client versions", ({ startServer }) => {
  it.each(matrix)("talks with a $version client over $travel", async ({ version, travel }) => {
    const server = await startServer();
    const { client, socket } = await connectPair(server, { version, travel, auth: { token: version } });
    const echo = (value: unknown, reply: Reply): void => reply(value);
    client.on("echo", echo);
    socket.on("echo", echo);
    const value = { text: "ü😀", nested: [{ bytes: Buffer.from([1, 2, 3]) }, null] };

    expect(client.id).toBe(socket.id);
    expect(socket.handshake.auth).toEqual({ token: version });
    expect(await new Promise((resolve) => client.emit("echo", value, resolve))).toEqual(value);
    expect(await socket.emitWithAck("echo", value)).toEqual(value);
    expect(await server.io.timeout(5000).emitWithAck("echo", value)).toEqual([value]);

    const broadcast = nextEvent(client, "to room");
    void socket.join("room");
    server.io.to("room").emit("to room", Buffer.from([4]));
    expect(await broadcast).toEqual([Buffer.from([4])]);

    const gone = nextEvent(client, "disconnect");
    socket.disconnect();
    expect((await gone)[0]).toBe("io server disconnect");
  });

  it.each(matrix)("serves a second namespace and a refused one to a $version client over $travel", async (row) => {
    const server = await startServer();
    server.io.of("/closed").use((_socket, next) => next(Object.assign(new Error("closed"), { data: { until: 8 } })));
    const accepted = nextEvent<[InteropSocket]>(server.io.of("/open"), "connection");
    const client = await connectClient(server.url, row);

    const other = client.io.socket("/open");
    const [otherSocket] = await accepted;
    const received = nextEvent(other, "hello");
    otherSocket.emit("hello", 1);
    expect(await received).toEqual([1]);
    const [refused] = await nextEvent<[Error & { data: unknown }]>(client.io.socket("/closed"), "connect_error");
    expect(refused.message).toBe("closed");
    expect(refused.data).toEqual({ until: 8 });
    const [unknown] = await nextEvent<[Error]>(client.io.socket("/unknown"), "connect_error");
    expect(unknown.message).toBe("Invalid namespace");
    expect(client.connected).toBe(true);
  });

  it.each(matrix)("brings a $version client over $travel back after a restart", async (row) => {
    const first = await startServer();
    const { client } = await connectPair(first, { ...row, reconnection: true, reconnectionDelay: 10 });

    await first.io.close();
    const second = await startServer({}, { port: first.port });
    const [socket] = await nextEvent<[InteropSocket]>(second.io, "connection");
    if (!client.connected) await nextEvent(client, "connect");

    expect(client.id).toBe(socket.id);
  });

  it.each(matrix)("carries 1,000 messages each way in order to a $version client over $travel", async (row) => {
    const server = await startServer();
    const count = 1000;
    const collect = (end: { on(event: string, listener: (index: number) => void): unknown }): Promise<number[]> => {
      const seen: number[] = [];
      return new Promise((resolve) => {
        end.on("step", (index) => seen.push(index) === count && resolve(seen));
      });
    };
    const atServer = new Promise<number[]>((resolve) => {
      server.io.on("connection", (socket) => {
        void collect(socket).then(resolve);
        for (let index = 0; index < count; index++) socket.emit("step", index);
      });
    });
    const client = openClient(server.url, row);
    const atClient = collect(client);
    client.on("connect", () => {
      for (let index = 0; index < count; index++) client.emit("step", index);
    });

    const expected = Array.from({ length: count }, (_, index) => index);
    expect(await atServer).toEqual(expected);
    expect(await atClient).toEqual(expected);
  });
});
