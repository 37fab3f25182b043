import { describe, expect, it } from "vitest";
import type { Server as PlugboardServer, Socket as PlugboardSocket } from "@plugboard/server";
import { connectPair } from "../../support/connect-client.js";
import { plugboard } from "../../support/interop-implementation.js";
import { listen } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import { coverage } from "../coverage.js";

/** Everything that is read of a class, by name; it has to be exactly what the list says others read. */
function expectListed(className: string, read: Record<string, unknown>): void {
  const listed = coverage.publicByContract.find((entry) => entry.class === className)?.fields ?? [];
  expect(Object.keys(read).toSorted()).toEqual([...listed].toSorted());
  for (const [name, value] of Object.entries(read)) expect(value, `${className}.${name}`).toBeDefined();
}

const everybody = { rooms: new Set<string>(), except: new Set<string>() };

async function connected() {
  const server = await listen(plugboard, { connectionStateRecovery: {} }, {});
  const ends = await connectPair(server, { auth: { token: "t" }, extraHeaders: { "x-own": "1" } });
  const io = server.io as unknown as PlugboardServer;
  const socket = ends.socket as unknown as PlugboardSocket;
  return { io, socket, client: ends.client, url: server.url };
}

describe("what other packages read of our classes", () => {
  it("is there on a server", async () => {
    const { io } = await connected();
    const { _nsps, engine, opts, sockets, httpServer, encoder, _parser, of, on, path } = io;
    expectListed("Server", { _nsps, engine, opts, sockets, httpServer, encoder, _parser, of, on, path });

    const announced = nextEvent<[{ name: string }]>(io.sockets, "new_namespace");
    io.of("/later");
    expect((await announced)[0].name).toBe("/later");
    const names: string[] = [];
    _nsps.forEach((namespace) => names.push(namespace.name));
    expect(names).toEqual(["/", "/later"]);
    expect(opts.connectionStateRecovery?.maxDisconnectionDuration).toBe(120_000);
    expect(new _parser.Encoder().encode({ type: 2, nsp: "/", data: ["x"] })).toEqual(['2["x"]']);
    // Tools keep their own things here.
    Object.assign(io, { _eventBuffer: [], _pollingClientsCount: 0 });
    expect(io).toHaveProperty("_pollingClientsCount", 0);
  });

  it("is there on a server without an engine", () => {
    const io = plugboard.createServer(undefined, {});

    expect((io as unknown as PlugboardServer).engine?.clientsCount).toBeUndefined();
    expect([...io._nsps.keys()]).toEqual(["/"]);
  });

  it("is there on a namespace", async () => {
    const { io, socket, url } = await connected();
    const namespace = io.of("/");
    const { name, sockets, server, adapter, _ids, _onServerSideEmit, prependListener, fetchSockets } = namespace;
    const methods = { _onServerSideEmit, prependListener, fetchSockets };
    expectListed("Namespace", { name, sockets, server, adapter, _ids, ...methods });

    expect([name, sockets.size, server, sockets.get(socket.id)]).toEqual(["/", 1, io, socket]);
    const order: string[] = [];
    namespace.on("connection", () => order.push("second"));
    namespace.prependListener("connection", () => order.push("first"));
    await connectPair({ io: io as never, url });
    expect(order).toEqual(["first", "second"]);
    const heard = nextEvent(namespace, "told");
    namespace._onServerSideEmit(["told", 1]);
    expect(await heard).toEqual([1]);
    expect(_ids).toBe(0);
  });

  it("is there on an adapter, under names that subclasses call", async () => {
    const { io, socket } = await connected();
    const { adapter } = io.of("/");
    const { nsp, rooms, sids, encoder, on, init, close, serverCount, addAll, del, delAll, socketRooms } =
      adapter as typeof adapter & { encoder: unknown };
    const { broadcast, broadcastWithAck, sockets, fetchSockets, addSockets, delSockets } = adapter;
    const { disconnectSockets, serverSideEmit, persistSession, restoreSession } = adapter;
    const own = { nsp, rooms, sids, encoder, on, init, close, serverCount, addAll, del, delAll, socketRooms };
    const toSockets = { broadcast, broadcastWithAck, sockets, fetchSockets, addSockets, delSockets };
    const rest = { disconnectSockets, serverSideEmit, persistSession, restoreSession };
    expectListed("Adapter", { ...own, ...toSockets, ...rest });

    const log: unknown[][] = [];
    for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
      adapter.on(event, (...args) => log.push([event, ...args]));
    }
    adapter.addSockets(everybody, ["room"]);
    expect(rooms.get("room")).toEqual(new Set([socket.id]));
    expect(sids.get(socket.id)?.has("room")).toBe(true);
    expect(sids.has("room")).toBe(false);
    adapter.delSockets(everybody, ["room"]);
    expect(log).toEqual([
      ["create-room", "room"],
      ["join-room", "room", socket.id],
      ["leave-room", "room", socket.id],
      ["delete-room", "room"],
    ]);
    // Older releases of other adapters call it once more.
    await adapter.init();
    // Others replace it on the instance.
    adapter.close = () => void log.push(["closed"]);
    await io.close();
    expect(log.at(-1)).toEqual(["closed"]);
  });

  it("is there on a socket", async () => {
    const { socket } = await connected();
    const { id, handshake, rooms, data, client, conn, acks, nsp, join, leave, disconnect } = socket;
    const { onAny, onAnyOutgoing, notifyOutgoingListeners } = socket as typeof socket & Record<string, unknown>;
    const methods = { join, leave, disconnect, onAny, onAnyOutgoing, notifyOutgoingListeners };
    expectListed("Socket", { id, handshake, rooms, data, client, conn, acks, nsp, ...methods });

    expect(id).toHaveLength(20);
    expect(rooms).toEqual(new Set([id]));
    socket.data = { user: "ada" };
    expect(socket.data).toEqual({ user: "ada" });
    expect(client.conn).toBe(conn);
  });

  it("is there on a client", async () => {
    const { socket, client } = await connected();
    const { id, conn, writeToEngine } = socket.client as typeof socket.client & Record<string, unknown>;
    expectListed("Client", { id, conn, writeToEngine });

    expect(id).toBe(conn.id);
    const received = nextEvent(client, "written");
    (writeToEngine as (chunks: string[], options: object) => void).call(socket.client, ['2["written"]'], {});
    expect(await received).toEqual([]);
  });

  it("is there on a handshake", async () => {
    const { socket } = await connected();
    const { handshake } = socket;
    expectListed("Handshake", { ...handshake });

    expect(handshake).toMatchObject({ address: "127.0.0.1", xdomain: false, secure: false, auth: { token: "t" } });
    expect(handshake.headers["x-own"]).toBe("1");
    expect(handshake.query).toMatchObject({ EIO: "4", transport: "websocket" });
    expect(handshake.url).toMatch(/^\/socket\.io\/\?EIO=4/);
    expect(handshake.time).toBe(new Date(handshake.issued).toString());
  });

  it("is there on the engine", async () => {
    const { io, url } = await connected();
    const { clientsCount, clients, generateId, opts, on } = io.engine;
    expectListed("Engine", { clientsCount, clients, generateId, opts, on });

    expect(clientsCount).toBe(1);
    expect(opts.pingInterval).toBe(25_000);
    io.engine.generateId = () => "chosen by another package";
    const accepted = nextEvent<[{ id: string }]>(io.engine, "connection");
    await connectPair({ io: io as never, url });
    expect((await accepted)[0].id).toBe("chosen by another package");
  });

  it("is there on a connection", async () => {
    const { io, url } = await connected();
    const raw = nextEvent<[PlugboardSocket["conn"]]>(io.engine, "connection");
    const upgraded = raw.then(([conn]) => nextEvent<[{ name: string }]>(conn, "upgrade"));
    const ends = await connectPair({ io: io as never, url }, { travel: "upgrade" });
    const [conn] = await raw;
    const { id, transport, protocol, request, remoteAddress, readyState, on, once } = conn;
    expectListed("Session", { id, transport, protocol, request, remoteAddress, readyState, on, once });

    expect((await upgraded)[0].name).toBe("websocket");
    expect([transport.name, protocol, readyState]).toEqual(["websocket", 4, "open"]);
    const log: string[] = [];
    conn.on("packetCreate", ({ type, data }) => log.push(`out ${type} ${data}`));
    conn.on("packet", ({ type, data }) => log.push(`in ${type} ${data}`));
    const answered = ends.client.timeout(5000).emitWithAck("unheard");
    ends.socket.emit("told");
    const heard = nextEvent(ends.socket, "last");
    ends.client.emit("last");
    await heard;
    expect(log[0]).toMatch(/^out message 2\["told",/);
    expect(log.slice(1)).toEqual(['in message 20["unheard"]', 'in message 2["last"]']);
    const closed = nextEvent(conn, "close");
    conn.close();
    expect((await closed)[0]).toBe("forced close");
    await expect(answered).rejects.toThrow();
  });

  it("is there on the options and the packet of a broadcast", async () => {
    const { io } = await connected();
    const { adapter } = io.of("/");
    const calls: [packet: Record<string, unknown>, options: Record<string, unknown>][] = [];
    adapter.broadcast = (packet, options) => void calls.push([packet, { ...options }]);

    io.to("in").except("out").local.volatile.compress(false).timeout(7).emit("told", 1);

    const [[packet, options] = [{}, {}]] = calls;
    expectListed("BroadcastOptions", options);
    expect(packet).toEqual({ type: 2, data: ["told", 1], nsp: "/" });
    expect(options).toEqual({
      rooms: new Set(["in"]),
      except: new Set(["out"]),
      flags: { local: true, volatile: true, compress: false, timeout: 7 },
    });
  });

  it("is there on a session that is kept", async () => {
    const { io, socket } = await connected();
    const { adapter } = io.of("/");
    const kept: Record<string, unknown>[] = [];
    adapter.persistSession = (session) => void kept.push(session);

    socket.conn.close();

    const [session = {}] = kept;
    expectListed("StoredSession", session);
    expect(session).toEqual({ sid: socket.id, pid: expect.any(String), rooms: [socket.id], data: {} });
  });
});
