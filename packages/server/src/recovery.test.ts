import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, type FakeConnection, type Joined } from "./fake-engine.js";
import { Server, type ServerOptions, type Socket } from "./index.js";
import { OffsetSequence } from "./packet-offset.js";

function serve(options: Partial<ServerOptions> = {}): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server({ connectionStateRecovery: {}, ...options }).bind(engine), engine };
}

/** The offset in the last text written. */
function offsetIn(connection: FakeConnection): string {
  const text = String(connection.take().at(-1));
  return (JSON.parse(text.slice(text.indexOf("["))) as string[]).at(-1)!;
}

/** A client that has got one event, joined a room and lost its connection. */
async function loseOne(io: Server, engine: FakeEngine): Promise<{ lost: Joined; auth: object }> {
  const lost = await engine.join();
  const socket = io.sockets.sockets.get(lost.sid)!;
  socket.data.name = "x";
  await socket.join("room");
  socket.emit("first");
  const auth = { pid: lost.pid, offset: offsetIn(lost.connection), token: "t" };
  lost.connection.drop();
  return { lost, auth };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("with recovery", () => {
  it("a socket gets a secret id, and events an offset unless they are volatile or ask for an answer", async () => {
    const { io, engine } = serve();
    const { sid, pid, connection } = await engine.join();
    // Secret, a dot, and how the offsets begin that belong to it.
    const [, tag] = /^[\w-]{20}\.([\w-]{6})$/.exec(pid ?? "")!;
    const socket = io.sockets.sockets.get(sid)!;
    connection.take();
    socket.emit("a");
    io.emit("b", 1);
    socket.volatile.emit("c");
    socket.emit("d", () => {});
    expect(connection.take()).toEqual([
      expect.stringMatching(new RegExp(`^2\\["a","${tag}[\\w.-]+"\\]$`)),
      expect.stringMatching(new RegExp(`^2\\["b",1,"${tag}[\\w.-]+"\\]$`)),
      '2["c"]',
      '20["d"]',
    ]);
  });

  it("a client that comes back gets its socket, rooms, data and what it has missed, before CONNECT", async () => {
    const { io, engine } = serve();
    const middleware = vi.fn((_socket: Socket, next: () => void) => next());
    const { lost, auth } = await loseOne(io, engine);
    io.use(middleware);
    const recovered: Socket[] = [];
    io.on("connection", (socket) => recovered.push(socket));
    io.emit("all", Buffer.from([1]));
    io.to("room").emit("mine");
    io.to("elsewhere").emit("not mine");
    io.except("room").emit("not mine");
    io.volatile.emit("not kept");
    const back = await engine.join("/", auth);
    expect(back.chunks).toEqual([
      expect.stringMatching(/^51-\["all",\{"_placeholder":true,"num":0\},"/),
      Buffer.from([1]),
      expect.stringMatching(/^2\["mine","/),
      `0{"sid":"${lost.sid}","pid":"${lost.pid}"}`,
    ]);
    const [socket] = recovered;
    expect(socket).toMatchObject({ id: lost.sid, recovered: true, data: { name: "x" }, connected: true });
    expect(socket!.rooms).toEqual(new Set([lost.sid, "room"]));
    expect(socket!.handshake.auth).toEqual(auth);
    expect(middleware).not.toHaveBeenCalled();
  });

  it("middlewares run again when asked so", async () => {
    const { io, engine } = serve({ connectionStateRecovery: { skipMiddlewares: false } });
    const { auth } = await loseOne(io, engine);
    const seen: boolean[] = [];
    io.use((socket, next) => {
      seen.push(socket.recovered);
      next();
    });
    await engine.join("/", auth);
    expect(seen).toEqual([true]);
  });

  it("a session is restored once", async () => {
    const { io, engine } = serve();
    const { lost, auth } = await loseOne(io, engine);
    await engine.join("/", auth);
    const thief = await engine.join("/", auth);
    expect(thief.sid).not.toBe(lost.sid);
    expect(thief.pid).not.toBe(lost.pid);
  });

  it.each<[string, (auth: { pid: string; offset: string }) => object]>([
    ["the session is unknown", ({ offset }) => ({ pid: "unknown", offset })],
    ["the offset is unknown", ({ pid }) => ({ pid, offset: "unknown" })],
    ["the offset is missing", ({ pid }) => ({ pid })],
    ["the session is no text", ({ offset }) => ({ pid: 1, offset })],
  ])("a client starts anew when %s", async (_what, change) => {
    const { io, engine } = serve();
    const { lost, auth } = await loseOne(io, engine);
    const { sid, pid } = await engine.join("/", change(auth as never));
    expect(sid).not.toBe(lost.sid);
    expect(pid).not.toBe(lost.pid);
  });

  it("a client starts anew when it comes too late", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { io, engine } = serve({ connectionStateRecovery: { maxDisconnectionDuration: 1_000 } });
    const { lost, auth } = await loseOne(io, engine);
    vi.setSystemTime(Date.now() + 1_001);
    expect((await engine.join("/", auth)).sid).not.toBe(lost.sid);
  });

  it.each([
    ["packets", { maxStoredPackets: 100 }, 100, "x"],
    ["bytes", { maxStoredBytes: 10_000 }, 10, "x".repeat(1000)],
  ])("a client starts anew when more %s were sent meanwhile than are kept", async (_what, limits, count, event) => {
    const { io, engine } = serve({ connectionStateRecovery: limits });
    const within = await loseOne(io, engine);
    for (let i = 0; i < count - 2; i++) io.to("nobody").emit(event);
    expect((await engine.join("/", within.auth)).sid).toBe(within.lost.sid);
    const beyond = await loseOne(io, engine);
    for (let i = 0; i < count; i++) io.to("nobody").emit(event);
    expect((await engine.join("/", beyond.auth)).sid).not.toBe(beyond.lost.sid);
  });

  it("a client that asks for much takes nothing from others, and gets the newest of its own", async () => {
    const { io, engine } = serve({ connectionStateRecovery: { maxStoredPackets: 100 } });
    const greedy = await engine.join();
    const { lost, auth } = await loseOne(io, engine);
    const socket = io.sockets.sockets.get(greedy.sid)!;
    for (let i = 0; i < 500; i++) socket.emit("x");
    const offset = offsetIn(greedy.connection);
    greedy.connection.drop();
    expect((await engine.join("/", auth)).sid).toBe(lost.sid);
    expect((await engine.join("/", { pid: greedy.pid, offset })).sid).toBe(greedy.sid);
  });

  it("a client that missed more of its own than is kept starts anew, and so does one that listens to it", async () => {
    const { io, engine } = serve({ connectionStateRecovery: { maxStoredPackets: 100 } });
    const busy = await engine.join();
    const socket = io.sockets.sockets.get(busy.sid)!;
    const listener = await engine.join();
    await io.sockets.sockets.get(listener.sid)!.join(busy.sid);
    socket.emit("anchor");
    const offset = offsetIn(listener.connection);
    listener.connection.drop();
    for (let i = 0; i < 20; i++) socket.emit("x");
    busy.connection.drop();
    expect((await engine.join("/", { pid: listener.pid, offset })).sid).not.toBe(listener.sid);
    expect((await engine.join("/", { pid: busy.pid, offset })).sid).not.toBe(busy.sid);
  });

  it("a client that comes and goes has one share of the store, not one each time", async () => {
    const { io, engine } = serve({ connectionStateRecovery: { maxStoredPackets: 100 } });
    const patient = await loseOne(io, engine);
    let greedy = await engine.join();
    for (let round = 0; round < 30; round++) {
      const socket = io.sockets.sockets.get(greedy.sid)!;
      for (let i = 0; i < 9; i++) socket.emit("x");
      const auth = { pid: greedy.pid, offset: offsetIn(greedy.connection) };
      greedy.connection.drop();
      const { sid } = greedy;
      greedy = await engine.join("/", auth);
      expect(greedy.sid).toBe(sid);
    }
    expect((await engine.join("/", patient.auth)).sid).toBe(patient.lost.sid);
  });

  it("the oldest session goes when more clients are away than are kept", async () => {
    const { io, engine } = serve({ connectionStateRecovery: { maxStoredSessions: 2 } });
    const away = [await loseOne(io, engine), await loseOne(io, engine), await loseOne(io, engine)];
    const recovered: boolean[] = [];
    for (const { lost, auth } of away) recovered.push((await engine.join("/", auth)).sid === lost.sid);
    expect(recovered).toEqual([false, true, true]);
  });

  it("old packets are dropped in time", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { io, engine } = serve({ connectionStateRecovery: { maxDisconnectionDuration: 1_000 } });
    const first = await loseOne(io, engine);
    vi.setSystemTime(Date.now() + 62_000);
    io.emit("x");
    const second = await loseOne(io, engine);
    const mixed = { ...second.auth, offset: (first.auth as { offset: string }).offset };
    expect((await engine.join("/", mixed)).sid).not.toBe(second.lost.sid);
  });

  it.each(["server namespace disconnect", "client namespace disconnect", "parse error", "rehandshake"])(
    "nothing is kept after %s",
    async (reason) => {
      const { io, engine } = serve();
      const { sid, connection } = await engine.join();
      const persist = vi.spyOn(io.sockets.adapter, "persistSession");
      const socket = io.sockets.sockets.get(sid)!;
      if (reason === "rehandshake") socket.rehandshake();
      else if (reason === "parse error") connection.drop(reason);
      else if (reason.startsWith("server")) socket.disconnect(true);
      else connection.receive("1");
      expect(socket.connected).toBe(false);
      expect(persist).not.toHaveBeenCalled();
    },
  );

  it("an adapter that fails to restore counts as one that knows of nothing", async () => {
    const { io, engine } = serve();
    const { auth, lost } = await loseOne(io, engine);
    const restore = vi.spyOn(io.sockets.adapter, "restoreSession");
    restore.mockRejectedValueOnce(new Error("down"));
    expect((await engine.join("/", auth)).sid).not.toBe(lost.sid);
    restore.mockImplementationOnce(() => {
      throw new Error("down");
    });
    expect((await engine.join("/", auth)).sid).not.toBe(lost.sid);
  });
});

describe("without recovery", () => {
  it("the adapter is asked neither to keep nor to restore", async () => {
    const engine = new FakeEngine();
    const io = new Server().bind(engine);
    const persist = vi.spyOn(io.sockets.adapter, "persistSession");
    const restore = vi.spyOn(io.sockets.adapter, "restoreSession");
    const { connection, pid } = await engine.join("/", { pid: "p", offset: "o" });
    connection.drop();
    expect(pid).toBeUndefined();
    expect(persist).not.toHaveBeenCalled();
    expect(restore).not.toHaveBeenCalled();
  });
});

describe("offsets", () => {
  it("tell the time in base 64, and never repeat", () => {
    const offsets = new OffsetSequence("tag-");
    expect([offsets.next(0), offsets.next(0), offsets.next(0), offsets.next(63), offsets.next(64)]).toEqual([
      "tag-0",
      "tag-0.0",
      "tag-0.1",
      "tag-_",
      "tag-10",
    ]);
  });
});
