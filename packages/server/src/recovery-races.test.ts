import { describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection, type Joined } from "./fake-engine.js";
import { Server, type ServerOptions, type Socket } from "./index.js";

function serve(recovery: ServerOptions["connectionStateRecovery"] = {}): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server({ connectionStateRecovery: recovery }).bind(engine), engine };
}

interface Returning {
  readonly pid: string;
  readonly offset: string;
  /** Ids of connections that it had. */
  readonly sids: unknown;
}

/** A client that has got one event, and what ours says when it comes back. */
async function joinAndHear(io: Server, engine: FakeEngine): Promise<{ joined: Joined; auth: Returning }> {
  const joined = await engine.join();
  await io.sockets.sockets.get(joined.sid)!.join("room");
  io.to("room").emit("first");
  const text = String(joined.connection.take().at(-1));
  const offset = (JSON.parse(text.slice(1)) as string[]).at(-1)!;
  return { joined, auth: { pid: joined.pid!, offset, sids: [joined.connection.id] } };
}

/** What a client that comes back gets: names of events, and "CONNECT". */
function namesIn(chunks: readonly unknown[]): string[] {
  return chunks.map((chunk) => /^2\["(\w+)"/.exec(String(chunk))?.[1] ?? "CONNECT");
}

/** Middlewares that wait until the test says otherwise. */
function holdMiddlewares(io: Server): Array<() => void> {
  const waiting: Array<() => void> = [];
  io.use((_socket, next) => void waiting.push(next));
  return waiting;
}

/** Asks to be let in, without waiting for an answer. */
async function ask(engine: FakeEngine, auth: object): Promise<FakeConnection> {
  const connection = engine.open();
  connection.receive(`0${JSON.stringify(auth)}`);
  await turn();
  return connection;
}

describe("a client that is back before its loss was noticed", () => {
  it("takes its session over, with what it has missed", async () => {
    const { io, engine } = serve();
    const { joined, auth } = await joinAndHear(io, engine);
    io.to("room").emit("second");

    const back = await engine.join("/", auth);

    expect(back.sid).toBe(joined.sid);
    expect(back.pid).toBe(joined.pid);
    expect(namesIn(back.chunks)).toEqual(["second", "CONNECT"]);
    expect(io.sockets.sockets.size).toBe(1);
  });

  it("ends the connection that was lost, for all its namespaces, as lost ones end", async () => {
    const { io, engine } = serve();
    io.of("/other");
    const { joined, auth } = await joinAndHear(io, engine);
    const other = await engine.join("/other", undefined, joined.connection);
    const endings: unknown[][] = [];
    for (const nsp of [io.sockets, io.of("/other")]) {
      for (const socket of nsp.sockets.values()) socket.on("disconnect", (...why) => endings.push([nsp.name, ...why]));
    }

    const back = await engine.join("/", auth);

    const why = ["transport close", "the client is back on another connection"];
    expect(endings).toEqual([
      ["/", ...why],
      ["/other", ...why],
    ]);
    expect(joined.connection.readyState).toBe("closed");
    expect(back.connection.readyState).toBe("open");
    expect(io.of("/other").sockets.has(other.sid)).toBe(false);
  });

  it.each<[string, (auth: Returning) => object]>([
    ["is no client of ours and tells of no connection", ({ pid, offset }) => ({ pid, offset })],
    ["tells of another connection", (auth) => ({ ...auth, sids: ["unknown"] })],
    ["tells of none", (auth) => ({ ...auth, sids: [] })],
    ["tells of it in another way", ({ sids, ...auth }) => ({ ...auth, sids: String(sids) })],
    ["has another secret", (auth) => ({ ...auth, pid: "unknown" })],
  ])("starts anew when it %s, and disturbs nobody", async (_how, change) => {
    const { io, engine } = serve();
    const { joined, auth } = await joinAndHear(io, engine);
    const stranger = await engine.join("/", change(auth));
    expect(stranger.sid).not.toBe(joined.sid);
    expect(namesIn(stranger.chunks)).toEqual(["CONNECT"]);
    expect(joined.connection.readyState).toBe("open");
    expect(io.sockets.sockets.size).toBe(2);
  });

  it("cannot be imitated by repeating what it said when it came back", async () => {
    const { io, engine } = serve();
    const { joined, auth } = await joinAndHear(io, engine);
    const back = await engine.join("/", auth);
    const stranger = await engine.join("/", auth);
    expect(back.sid).toBe(joined.sid);
    expect(stranger.sid).not.toBe(joined.sid);
    expect(back.connection.readyState).toBe("open");
  });

  it("takes its session over from an attempt whose middlewares still run", async () => {
    const { io, engine } = serve({ skipMiddlewares: false });
    const { joined, auth } = await joinAndHear(io, engine);
    const waiting = holdMiddlewares(io);
    joined.connection.drop();
    const first = await ask(engine, auth);
    const second = await ask(engine, { ...auth, sids: [joined.connection.id, first.id] });
    for (const next of waiting) next();
    await turn();
    expect(first.readyState).toBe("closed");
    expect(first.take()).toEqual([]);
    expect(second.take()).toEqual([`0{"sid":"${joined.sid}","pid":"${joined.pid}"}`]);
  });
});

describe("a return that is cut short", () => {
  it("can be tried again when the middlewares were still running", async () => {
    const { io, engine } = serve({ skipMiddlewares: false });
    const { joined, auth } = await joinAndHear(io, engine);
    const waiting = holdMiddlewares(io);
    joined.connection.drop();
    (await ask(engine, auth)).drop();
    const again = await ask(engine, auth);
    for (const next of waiting) next();
    await turn();
    const recovered: Socket[] = [...io.sockets.sockets.values()];
    expect(again.take()).toEqual([`0{"sid":"${joined.sid}","pid":"${joined.pid}"}`]);
    expect(recovered).toHaveLength(1);
    expect(recovered[0]!.rooms).toEqual(new Set([joined.sid, "room"]));
  });

  it("can be tried again when the adapter was still looking", async () => {
    const { io, engine } = serve();
    const { joined, auth } = await joinAndHear(io, engine);
    joined.connection.drop();
    const { adapter } = io.sockets;
    const restore = adapter.restoreSession.bind(adapter);
    vi.spyOn(adapter, "restoreSession").mockImplementationOnce(async (pid, offset) => {
      const session = await restore(pid, offset);
      await turn();
      return session;
    });
    (await ask(engine, auth)).drop();
    await turn();
    expect((await engine.join("/", auth)).sid).toBe(joined.sid);
  });

  it("is for nothing when its client has to connect anew while the adapter was still looking", async () => {
    const { io, engine } = serve();
    io.of("/other");
    const { joined, auth } = await joinAndHear(io, engine);
    joined.connection.drop();
    const { adapter } = io.sockets;
    const restore = adapter.restoreSession.bind(adapter);
    vi.spyOn(adapter, "restoreSession").mockImplementationOnce(async (pid, offset) => {
      const session = await restore(pid, offset);
      await turn();
      return session;
    });
    const { connection, sid } = await engine.join("/other");
    connection.receive(`0${JSON.stringify(auth)}`);
    await Promise.resolve();
    await io.of("/other").sockets.get(sid)!.join("user");
    io.endSockets("user", "rehandshake");
    await turn();
    await turn();
    expect((await engine.join("/", auth)).sid).not.toBe(joined.sid);
  });

  it("is for nothing when a middleware refuses", async () => {
    const { io, engine } = serve({ skipMiddlewares: false });
    const { joined, auth } = await joinAndHear(io, engine);
    joined.connection.drop();
    let refusals = 1;
    io.use((_socket, next) => (refusals-- > 0 ? next(new Error("not now")) : next()));
    expect((await ask(engine, auth)).take()).toEqual(['4{"message":"not now"}']);
    expect((await engine.join("/", auth)).sid).not.toBe(joined.sid);
  });
});

describe("what is sent to a client that comes back while its middlewares run", () => {
  it("is not missed, and comes in order", async () => {
    const { io, engine } = serve({ skipMiddlewares: false });
    const { joined, auth } = await joinAndHear(io, engine);
    const waiting = holdMiddlewares(io);
    joined.connection.drop();
    io.to("room").emit("second");
    const back = await ask(engine, auth);
    io.to("room").emit("third");
    io.to("elsewhere").emit("other");
    for (const next of waiting) next();
    await turn();
    io.to("room").emit("fourth");
    expect(namesIn(back.take())).toEqual(["second", "third", "CONNECT", "fourth"]);
  });
});
