import { expect, it } from "vitest";
import { connectPair, singleTransports } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

const impatient = { reconnection: true, reconnectionDelay: 10, randomizationFactor: 0 };

interopSuite("connection state recovery", ({ startServer }) => {
  it.each(singleTransports)("gives back id, rooms, data and missed events in order over %s", async (travel) => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { client, socket } = await connectPair(server, { travel, ...impatient });
    socket.data = { user: "ada" };
    void socket.join("room");
    const first = nextEvent(client, "first");
    socket.emit("first");
    await first;

    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    const left = nextEvent(socket, "disconnect");
    const id = client.id;
    const missed: unknown[] = [];
    client.onAny((name: string, value: unknown) => missed.push([name, value]));
    client.io.engine.close();
    await left;
    server.io.to("room").emit("missed", 1);
    server.io.emit("missed", Buffer.from([2]));
    server.io.to("elsewhere").emit("missed", "never");
    server.io.except("room").emit("missed", "neither");
    const [again] = await accepted;
    if (!client.connected) await nextEvent(client, "connect");
    const last = nextEvent(client, "last");
    again.emit("last", 3);
    await last;

    expect(client.recovered).toBe(true);
    expect(client.id).toBe(id);
    expect(again.recovered).toBe(true);
    expect(again.id).toBe(id);
    expect(again.data).toEqual({ user: "ada" });
    expect([...again.rooms].toSorted()).toEqual([id, "room"].toSorted());
    expect(missed).toEqual([
      ["missed", 1],
      ["missed", Buffer.from([2])],
      ["last", 3],
    ]);
  });

  it("starts afresh with a client whose session is unknown", async () => {
    const server = await startServer({ connectionStateRecovery: {} });

    const { client, socket } = await connectPair(server, { auth: { pid: "x".repeat(20), offset: "abc" } });

    expect(client.recovered).toBe(false);
    expect(socket.recovered).toBe(false);
  });

  it("does not recover a client that left on purpose", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { client, socket } = await connectPair(server);
    const first = nextEvent(client, "first");
    socket.emit("first");
    await first;
    const left = nextEvent(socket, "disconnect");
    client.disconnect();
    await left;

    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    client.connect();

    expect((await accepted)[0].recovered).toBe(false);
  });

  it.each([
    { skipMiddlewares: true, runs: 1 },
    { skipMiddlewares: false, runs: 2 },
  ])("runs the middlewares $runs times when skipMiddlewares is $skipMiddlewares", async ({ skipMiddlewares, runs }) => {
    const server = await startServer({ connectionStateRecovery: { skipMiddlewares } });
    let count = 0;
    server.io.use((_socket, next) => {
      count++;
      next();
    });
    const { client, socket } = await connectPair(server, impatient);
    const first = nextEvent(client, "first");
    socket.emit("first");
    await first;

    const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
    client.io.engine.close();

    expect((await accepted)[0].recovered).toBe(true);
    expect(count).toBe(runs);
  });

  it("sends no session secret when recovery is off", async () => {
    const server = await startServer();

    const { client } = await connectPair(server);

    expect(client.recovered).not.toBe(true);
    expect(Reflect.get(client, "_pid")).toBeUndefined();
  });
});
