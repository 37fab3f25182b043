import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Adapter, Server, type ListenerFailure, type ServerOptions, type Socket } from "./index.js";

function serve(options: Partial<ServerOptions> = {}): { io: Server; engine: FakeEngine; failures: ListenerFailure[] } {
  const engine = new FakeEngine();
  const failures: ListenerFailure[] = [];
  const io = new Server({ onListenerError: (failure) => failures.push(failure), ...options }).bind(engine);
  return { io, engine, failures };
}

const RECOVERY = { connectionStateRecovery: {} };

/** A client that lost its connection; `auth` is what it comes back with. */
async function lose(
  io: Server,
  engine: FakeEngine,
  room: string,
): Promise<{ sid: string; auth: Record<string, unknown> }> {
  const { connection, sid, pid } = await engine.join();
  const socket = io.sockets.sockets.get(sid)!;
  await socket.join(room);
  socket.emit("first");
  const text = String(connection.take().at(-1));
  const offset = (JSON.parse(text.slice(text.indexOf("["))) as string[]).at(-1)!;
  connection.drop();
  return { sid, auth: { pid, offset, token: "t" } };
}

async function comeBack(engine: FakeEngine, auth: object): Promise<{ sid: string; connection: FakeConnection }> {
  const connection = engine.open();
  connection.receive(`0${JSON.stringify(auth)}`);
  for (let i = 0; i < 3; i++) await turn();
  const reply = connection.take().findLast((chunk) => String(chunk).startsWith("0"));
  return { sid: (JSON.parse(String(reply).slice(1)) as { sid: string }).sid, connection };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a middleware that always runs", () => {
  it("runs for every namespace, dynamic and later ones too, before those of the namespace", async () => {
    const { io, engine } = serve();
    const order: string[] = [];
    io.of(/^\/dynamic/).use((_socket, next) => (order.push("own"), next()));
    io.useAlways((socket, next) => (order.push(socket.nsp.name), next()));
    io.of("/later").use((_socket, next) => (order.push("own"), next()));
    await engine.join("/");
    await engine.join("/dynamic-1");
    await engine.join("/later");
    expect(order).toEqual(["/", "/dynamic-1", "own", "/later", "own"]);
  });

  it("refuses with an error that cannot be read", async () => {
    const { io, engine } = serve();
    io.useAlways((_socket, next) => next({ message: Object.create(null) } as unknown as Error));
    const connection = engine.open();
    connection.receive("0");
    await turn();
    expect(connection.take()).toEqual(['4{"message":"refused"}']);
  });

  it("refuses as others do", async () => {
    const { io, engine } = serve();
    io.useAlways((_socket, next) => next(Object.assign(new Error("no"), { data: { code: "X" } })));
    const connection = engine.open();
    connection.receive("0");
    await turn();
    expect(connection.take()).toEqual(['4{"message":"no","data":{"code":"X"}}']);
    expect(io.sockets.sockets.size).toBe(0);
  });

  it("runs for recovered sockets, which pass by the others, and may refuse them", async () => {
    const { io, engine } = serve(RECOVERY);
    const always: boolean[] = [];
    const others = vi.fn((_socket: Socket, next: () => void) => next());
    let refuses = false;
    io.useAlways((socket, next) => {
      always.push(socket.recovered);
      next(refuses ? new Error("gone") : undefined);
    });
    io.use(others);
    const { sid, auth } = await lose(io, engine, "room");
    expect((await comeBack(engine, auth)).sid).toBe(sid);
    expect(always).toEqual([false, true]);
    expect(others).toHaveBeenCalledOnce();

    const second = await lose(io, engine, "room");
    refuses = true;
    const connection = engine.open();
    connection.receive(`0${JSON.stringify(second.auth)}`);
    for (let i = 0; i < 3; i++) await turn();
    expect(connection.take()).toEqual(['4{"message":"gone"}']);
    expect(io.sockets.adapter.rooms.has(second.sid)).toBe(false);
  });
});

describe("a check before a recovery", () => {
  it("is told what is to be given back to whom", async () => {
    const { io, engine } = serve(RECOVERY);
    const check = vi.fn((_candidate: unknown) => true);
    io.confirmRecovery(check);
    const { sid, auth } = await lose(io, engine, "room");
    expect((await comeBack(engine, auth)).sid).toBe(sid);
    expect(check).toHaveBeenCalledExactlyOnceWith({
      session: { sid, rooms: expect.arrayContaining([sid, "room"]) as string[], data: {} },
      namespace: io.sockets,
      request: undefined,
      auth: { token: "t" },
    });
  });

  it.each([
    ["says no", () => false],
    ["says no later", async () => false],
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new Error("x"))],
  ])("that %s makes the client start anew, with all middlewares, and its session is gone", async (_what, check) => {
    const { io, engine } = serve(RECOVERY);
    const recovered: boolean[] = [];
    io.use((socket, next) => (recovered.push(socket.recovered), next()));
    const { sid, auth } = await lose(io, engine, "room");
    io.confirmRecovery(check);
    const back = await comeBack(engine, auth);
    expect(back.sid).not.toBe(sid);
    expect(recovered).toEqual([false, false]);
    expect(io.sockets.adapter.rooms.has("room")).toBe(false);
  });

  it("that fails is reported", async () => {
    const { io, engine, failures } = serve(RECOVERY);
    io.confirmRecovery(() => Promise.reject(new Error("the store is down")));
    const { auth } = await lose(io, engine, "room");
    await comeBack(engine, auth);
    expect(failures).toMatchObject([{ event: "confirmRecovery", error: { message: "the store is down" } }]);
  });

  it("that is at work when the client goes keeps the session for the next time", async () => {
    const { io, engine } = serve(RECOVERY);
    let agree!: (value: boolean) => void;
    let waits = true;
    io.confirmRecovery(() => (waits ? new Promise((resolve) => (agree = resolve)) : true));
    const { sid, auth } = await lose(io, engine, "room");
    const connection = engine.open();
    connection.receive(`0${JSON.stringify(auth)}`);
    await turn();
    connection.drop();
    agree(true);
    await turn();
    waits = false;
    expect((await comeBack(engine, auth)).sid).toBe(sid);
  });
});

describe("ending sockets by their rooms", () => {
  it("closes the connections as if they were lost, with the reason, in every namespace", async () => {
    const { io, engine } = serve();
    const reasons: unknown[] = [];
    io.of(/./).on("connection", (socket) => {
      void socket.join("user:1");
      socket.on("disconnect", (...args) => reasons.push(args));
    });
    const a = await engine.join("/a");
    const b = await engine.join("/b");
    const other = await engine.join("/");
    io.endSockets("user:1", "rehandshake", "logged out");
    expect([a, b, other].map(({ connection }) => connection.readyState)).toEqual(["closed", "closed", "open"]);
    expect(reasons).toEqual([
      ["forced server close", "logged out"],
      ["forced server close", "logged out"],
    ]);
    expect(a.connection.take()).toEqual([]);
  });

  it("tells the clients to stay away when asked to", async () => {
    const { io, engine } = serve();
    const { connection, sid } = await engine.join();
    connection.take();
    io.endSockets([sid, "other"], "disconnect");
    expect(connection.take()).toEqual(["1"]);
    expect(connection.readyState).toBe("closed");
  });

  it("ends sockets whose middlewares still run", async () => {
    const { io, engine } = serve();
    io.use((socket) => void socket.join("user:1"));
    const connection = engine.open();
    connection.receive("0");
    await turn();
    io.endSockets("user:1", "disconnect");
    expect(connection.readyState).toBe("closed");
    expect(io.sockets.adapter.rooms.size).toBe(0);
  });

  it("voids what is stored of such for as long as it could be recovered, and of no others", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { io, engine } = serve({ connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });
    const ended = await lose(io, engine, "user:1");
    const other = await lose(io, engine, "user:2");
    io.endSockets("user:1", "rehandshake");
    expect((await comeBack(engine, ended.auth)).sid).not.toBe(ended.sid);
    expect((await comeBack(engine, other.auth)).sid).toBe(other.sid);
    vi.advanceTimersByTime(60_001);
    const later = await lose(io, engine, "user:1");
    expect((await comeBack(engine, later.auth)).sid).toBe(later.sid);
  });

  it("while a recovery is being checked makes it void too", async () => {
    const { io, engine } = serve(RECOVERY);
    let agree!: (value: boolean) => void;
    io.confirmRecovery(() => new Promise((resolve) => (agree = resolve)));
    const { sid, auth } = await lose(io, engine, "user:1");
    const back = comeBack(engine, auth);
    await turn();
    io.endSockets("user:1", "rehandshake");
    agree(true);
    expect((await back).sid).not.toBe(sid);
  });

  it("says nothing of other nodes where there are none", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    serve().io.endSockets("user:1", "rehandshake");
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("asks the other nodes through the adapter, and does what another node asks", async () => {
    const sent: unknown[][] = [];
    class Connected extends (Adapter as unknown as new (nsp: unknown) => { serverSideEmit(event: unknown[]): void }) {
      override serverSideEmit(event: unknown[]): void {
        sent.push(event);
      }
    }
    const { io, engine } = serve({ adapter: Connected as never });
    io.endSockets(["a", "b"], "rehandshake", "why");
    expect(sent).toEqual([["plugboard:end-sockets", { rooms: ["a", "b"], how: "rehandshake", reason: "why" }]]);

    const { connection, sid } = await engine.join();
    const heard = vi.fn();
    (io.sockets as unknown as { on(event: string, listener: () => void): void }).on("plugboard:end-sockets", heard);
    for (const order of [undefined, 5, {}, { rooms: [5], how: "rehandshake" }, { rooms: [sid], how: "kill" }]) {
      io.sockets._onServerSideEmit(["plugboard:end-sockets", order]);
    }
    expect(connection.readyState).toBe("open");
    io.sockets._onServerSideEmit(["plugboard:end-sockets", { rooms: [sid], how: "rehandshake", reason: null }]);
    expect(connection.readyState).toBe("closed");
    expect(heard).not.toHaveBeenCalled();
  });

  it("outlives an adapter that fails: the sockets of this node are ended", async () => {
    class Failing extends (Adapter as unknown as new (nsp: unknown) => { serverSideEmit(event: unknown[]): void }) {
      override serverSideEmit(): void {
        throw new Error("redis is down");
      }
    }
    const { io, engine, failures } = serve({ adapter: Failing as never });
    const { connection, sid } = await engine.join();
    io.endSockets(sid, "rehandshake");
    expect(connection.readyState).toBe("closed");
    expect(failures).toMatchObject([{ event: "endSockets", error: { message: "redis is down" } }]);
  });
});
