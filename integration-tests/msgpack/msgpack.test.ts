import { io as plugboardIo } from "@plugboard/client";
import * as ours from "@plugboard/msgpack";
import { io as publishedIo, type Socket } from "socket.io-client";
import * as published from "socket.io-msgpack-parser";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventsUntilFence } from "../support/events-until-fence.js";
import { plugboard, reference, type InteropSocket } from "../support/interop-implementation.js";
import { listen, type ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";

type Transport = "polling" | "websocket";

const servers = [
  { server: "@plugboard/server", implementation: plugboard, parser: ours },
  { server: "socket.io", implementation: reference, parser: published },
] as const;
const clients = [
  { client: "@plugboard/client", io: plugboardIo as unknown as typeof publishedIo, parser: ours },
  { client: "socket.io-client", io: publishedIo, parser: published },
] as const;

const pairs = servers.flatMap(({ server, implementation, parser: serverParser }) =>
  clients.flatMap(({ client, io, parser: clientParser }) =>
    (["polling", "websocket"] as const).map((transport) => ({
      title: `${client} to ${server} over ${transport}`,
      transport,
      connect: (url: string) => open(io, clientParser, url, transport),
      start: () => listen(implementation, { parser: serverParser as never }, {}),
    })),
  ),
);

function open(io: typeof publishedIo, parser: object, url: string, transport: Transport): Socket {
  const socket = io(url, { parser, transports: [transport], forceNew: true, reconnection: false });
  onTestFinished(() => {
    socket.disconnect();
  });
  return socket;
}

async function join(server: ListeningServer, connect: (url: string) => Socket, namespace = "/") {
  const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");
  const client = connect(server.url + namespace);
  const connected = nextEvent(client, "connect");
  const [socket] = await accepted;
  await connected;
  return { client, socket };
}

const VALUES = [
  1,
  -5,
  0.5,
  2 ** 31,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "é😀".repeat(100),
  "",
  null,
  undefined,
  true,
  new Date(1_700_000_000_123),
  new Date(-1),
  Buffer.from([1, 2, 255]),
  Buffer.alloc(0),
  Buffer.alloc(8),
  Buffer.alloc(70_000, 7),
  { list: [Buffer.from([1]), { deep: new Date(0), text: "between" }, [undefined, null]] },
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key ${index}`, [index]])),
];

describe.each(pairs)("MessagePack from $title", ({ connect, start, transport }) => {
  it("carries every kind of value both ways", async () => {
    const { client, socket } = await join(await start(), connect);
    expect(socket.conn.transport.name).toBe(transport);
    const atServer = eventsUntilFence(socket);
    const atClient = eventsUntilFence(client);
    for (const emitter of [client, socket]) {
      for (const value of VALUES) emitter.emit("value", value);
      emitter.emit("fence");
    }
    const expected = VALUES.map((value) => ["value", value]);
    expect(await atServer).toEqual(expected);
    expect(await atClient).toEqual(expected);
  });

  it("answers with acknowledgements both ways, bytes included", async () => {
    const { client, socket } = await join(await start(), connect);
    for (const emitter of [client, socket]) {
      emitter.on("ask", (value: unknown, answer: (...args: unknown[]) => void) => answer(value, Buffer.from([9])));
    }
    for (const emitter of [client, socket]) {
      const answer = await new Promise((resolve) =>
        emitter.emit("ask", { at: new Date(5) }, (...args: unknown[]) => resolve(args)),
      );
      expect(answer).toEqual([{ at: new Date(5) }, Buffer.from([9])]);
    }
  });

  it("joins a namespace with auth data, and reports a refusal with its data", async () => {
    const server = await start();
    server.io.of("/admin").use((socket, next) => {
      if (socket.handshake.auth["token"] === "secret") return next();
      next(Object.assign(new Error("who are you?"), { data: { at: new Date(7), more: undefined } }));
    });
    const client = connect(server.url + "/admin");
    const [error] = await nextEvent<[Error & { data: unknown }]>(client, "connect_error");
    expect(error.message).toBe("who are you?");
    expect(error.data).toEqual({ at: new Date(7) });

    client.auth = { token: "secret" };
    client.connect();
    await nextEvent(client, "connect");
    const gone = nextEvent(client, "disconnect");
    server.io.of("/admin").disconnectSockets();
    expect((await gone)[0]).toBe("io server disconnect");
  });

  it("broadcasts to a room", async () => {
    const server = await start();
    const members = [await join(server, connect), await join(server, connect)];
    for (const { socket } of members) await socket.join("room");
    const received = members.map(({ client }) => nextEvent(client, "news"));
    server.io.to("room").emit("news", Buffer.from([1, 2]), { at: new Date(3) });
    for (const each of received) expect(await each).toEqual([Buffer.from([1, 2]), { at: new Date(3) }]);
  });
});

describe("what only one side does", () => {
  it("delivers typed arrays and ArrayBuffers of either parser as bytes", async () => {
    const values = [new Uint8Array(8), new Uint16Array([1, 2]), new Uint8Array([0]), new ArrayBuffer(4)];
    for (const { io, parser } of clients) {
      const server = await listen(plugboard, { parser: ours }, {});
      const { client, socket } = await join(server, (url) => open(io, parser, url, "websocket"));
      const atServer = eventsUntilFence(socket);
      for (const value of values) client.emit("value", value);
      client.emit("fence");
      const bytes = (await atServer).map(([, value]) => value);
      expect(bytes).toEqual([Buffer.alloc(8), Buffer.from([1, 0, 2, 0]), Buffer.alloc(1), Buffer.alloc(4)]);
    }
  });

  it("closes the connection of a client that sends what is no packet, and serves the others", async () => {
    const server = await listen(plugboard, { parser: ours }, {});
    const connect = (url: string): Socket => open(publishedIo, published, url, "websocket");
    const bad = await join(server, connect);
    const good = await join(server, connect);
    const gone = nextEvent(bad.client, "disconnect");
    const failed = nextEvent<[Error]>(bad.socket, "error");
    bad.client.io.engine.write(Buffer.from("dd01c00000".repeat(1000), "hex") as never);
    expect((await failed)[0].message).toBe("invalid payload");
    expect((await gone)[0]).toBe("transport close");
    const echoed = nextEvent(good.client, "echo");
    good.socket.on("echo", (value) => good.socket.emit("echo", value));
    good.client.emit("echo", new Date(1));
    expect(await echoed).toEqual([new Date(1)]);
  });

  it("recovers a session, whose offset is one more argument", async () => {
    const server = await listen(plugboard, { parser: ours as never, connectionStateRecovery: {} }, {});
    const { client, socket } = await join(server, (url) =>
      publishedIo(url, { parser: published, transports: ["websocket"], reconnectionDelay: 10, forceNew: true }),
    );
    onTestFinished(() => {
      client.disconnect();
    });
    const first = nextEvent(client, "first");
    socket.emit("first", Buffer.from([1]));
    await first;
    const away = nextEvent(socket, "disconnect");
    client.io.engine.close();
    await away;
    const missed = nextEvent(client, "missed");
    server.io.emit("missed", Buffer.from([2]));
    const [value] = await missed;
    expect(value).toEqual(Buffer.from([2]));
    expect(client.recovered).toBe(true);
  });
});
