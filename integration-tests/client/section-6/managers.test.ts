import { expect, it, onTestFinished } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite } from "../support/client-suite.js";
import { impatient, messagesAtServer, recorded } from "../support/observe.js";

clientSuite("managers", ({ client, startServer, open, connect, openManager }) => {
  it("2: has no engine before it is told to connect, and may be disconnected all the same", async () => {
    const server = await startServer();
    const socket = open(server.url, { autoConnect: false });

    expect(socket.io.engine).toBeUndefined();
    expect(() => socket.disconnect()).not.toThrow();
    expect(socket.io.engine).toBeUndefined();

    socket.connect();
    await nextEvent(socket, "connect");
  });

  it("3: gives two calls for one namespace managers of their own, also when only the query differs", async () => {
    const { url } = await startServer();
    const sockets = [client.io(url), client.io(url), client.io(`${url}/?woot=1`)];
    onTestFinished(() => {
      for (const socket of sockets) socket.disconnect();
    });

    expect(new Set(sockets.map(({ io }) => io)).size).toBe(3);
    await Promise.all(sockets.map((socket) => nextEvent(socket, "connect")));
  });

  it("4: shares a manager between namespaces with the same options, and not between paths", async () => {
    const server = await startServer();
    for (const namespace of ["/foo", "/bar"]) server.io.of(namespace);
    const options = { transports: ["websocket"] };
    const [foo, bar] = [client.io(`${server.url}/foo`, options), client.io(`${server.url}/bar`, options)];
    const elsewhere = client.io(`${server.url}/baz`, { path: "/elsewhere", autoConnect: false });
    onTestFinished(() => {
      for (const socket of [foo, bar]) socket.disconnect();
    });

    expect(bar.io).toBe(foo.io);
    expect(elsewhere.io).not.toBe(foo.io);
    await Promise.all([foo, bar].map((socket) => nextEvent(socket, "connect")));
    expect(server.io.engine.clientsCount).toBe(1);
  });

  it("8: opens again for a namespace that is asked for while the last one disconnects", async () => {
    const server = await startServer();
    server.io.of("/next");
    const socket = await connect(server.url);
    const manager = socket.io;
    const states: unknown[] = [];
    const connected = new Promise((resolve) => {
      socket.on("disconnect", () => {
        states.push(manager._readyState);
        const next = manager.socket("/next");
        states.push(manager._readyState);
        next.on("connect", () => resolve(next.connected));
        onTestFinished(() => {
          next.disconnect();
        });
      });
    });

    socket.disconnect();

    expect(states).toEqual(["closed", "opening"]);
    expect(await connected).toBe(true);
  });

  it("18: keeps its connection when another namespace is added as the only one leaves", async () => {
    const server = await startServer();
    server.io.of("/other");
    const socket = await connect(server.url);
    const { engine } = socket.io;

    const other = socket.io.socket("/other");
    socket.disconnect();
    await nextEvent(other, "connect");
    onTestFinished(() => {
      other.disconnect();
    });

    expect(socket.io.engine).toBe(engine);
    expect(engine.readyState).toBe("open");
  });

  it("20: closes when its last namespace is disconnected, and no other hears of the first", async () => {
    const server = await startServer();
    server.io.of("/other");
    const socket = await connect(server.url);
    const other = socket.io.socket("/other");
    await nextEvent(other, "connect");
    const closes = recorded(socket.io, "close");
    const disconnects = recorded(other, "disconnect");

    socket.disconnect();
    expect([closes.length, disconnects.length]).toEqual([0, 0]);

    other.disconnect();
    expect(closes).toEqual([["forced close", undefined]]);
    expect(disconnects.map(([reason]) => reason)).toEqual(["io client disconnect"]);
  });

  it("28: gives the same socket for the same namespace, connected again if it was not", async () => {
    const server = await startServer();
    const socket = await connect(server.url);

    expect(socket.io.socket("/")).toBe(socket);
    socket.disconnect();
    expect(socket.active).toBe(false);
    const connected = nextEvent(socket, "connect");

    expect(socket.io.socket("/")).toBe(socket);
    expect(socket.active).toBe(true);
    await connected;
  });

  it("29: joins and leaves once, however often a namespace is asked for", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const manager = openManager(server.url);
    const [socket, again] = [manager.socket("/"), manager.socket("/")];
    expect(again).toBe(socket);

    const gone = new Promise((resolve) => {
      server.io.on("connection", (peer: InteropSocket) => peer.on("disconnect", resolve));
    });
    await nextEvent(socket, "connect");
    socket.disconnect();
    await gone;

    expect(messages).toEqual(["0", "1"]);
  });

  it("29: joins and leaves two namespaces with four packets", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const manager = openManager(server.url);
    const sockets = ["/", "/foo"].map((namespace) => {
      const closed = new Promise((resolve) => {
        server.io.of(namespace).on("connection", (peer: InteropSocket) => peer.on("disconnect", resolve));
      });
      return { socket: manager.socket(namespace), closed };
    });

    await Promise.all(sockets.map(({ socket }) => nextEvent(socket, "connect")));
    for (const { socket } of sockets) socket.disconnect();
    await Promise.all(sockets.map(({ closed }) => closed));

    expect(messages).toEqual(["0", "0/foo,", "1", "1/foo,"]);
  });

  it("31: takes the id of the socket at the server, in each namespace its own", async () => {
    const server = await startServer();
    const accepted = nextEvent<[InteropSocket]>(server.io.of("/other"), "connection");
    const socket = await connect(server.url);
    const other = socket.io.socket("/other");
    await nextEvent(other, "connect");

    expect(other.id).toBe((await accepted)[0].id);
    expect(server.io.sockets.sockets.has(socket.id as string)).toBe(true);
    expect(new Set([socket.id, other.id, socket.io.engine.id]).size).toBe(3);
  });

  it("32: forgets its id before it says that it is disconnected, and gets another one", async () => {
    const server = await startServer();
    const socket = await connect(server.url, impatient);
    const first = socket.id;
    const ids: unknown[] = [];
    socket.on("disconnect", () => ids.push(socket.id));
    socket.io.on("reconnect_attempt", () => ids.push(socket.id));

    socket.io.engine.close();
    await nextEvent(socket, "connect");

    expect(ids).toEqual([undefined, undefined]);
    expect(socket.id).toBeTypeOf("string");
    expect(socket.id).not.toBe(first);
  });
});
