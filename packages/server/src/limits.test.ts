import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeEngine } from "./fake-engine.js";
import { Server, type ServerOptions } from "./index.js";

function serve(options: Partial<ServerOptions> = {}): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server(options).bind(engine), engine };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.useRealTimers();
});

describe("events per second", () => {
  it("beyond the limit end the connection of the client, with an error on its socket, and of nobody else", async () => {
    const { io, engine } = serve({ maxEventsPerSecond: 10 });
    const { connection, sid } = await engine.join();
    const bystander = await engine.join();
    const errors: unknown[] = [];
    let events = 0;
    io.sockets.sockets
      .get(sid)!
      .on("error", (error: unknown) => errors.push(error))
      .on("x", () => events++);
    for (let i = 0; i < 60; i++) connection.receive('2["x"]');
    expect(connection.readyState).toBe("closed");
    expect(errors).toMatchObject([{ code: "SIO_TOO_MANY_EVENTS" }]);
    // The CONNECT of this client counts as well.
    expect(events).toBe(49);
    expect(bystander.connection.readyState).toBe("open");
  });

  it("at the limit go on for ever", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const { engine } = serve({ maxEventsPerSecond: 10 });
    const { connection } = await engine.join();
    for (let second = 0; second < 60; second++) {
      vi.advanceTimersByTime(1000);
      for (let i = 0; i < 10; i++) connection.receive('2["x"]');
    }
    expect(connection.readyState).toBe("open");
  });
});

describe("namespaces", () => {
  const REFUSED = '{"message":"Too many namespaces","data":{"code":"SIO_TOO_MANY_NAMESPACES"}}';

  it("beyond the limit of a client are refused, and it keeps those it has", async () => {
    const { io, engine } = serve({ maxNamespacesPerClient: 2 });
    for (const name of ["/a", "/b", "/c"]) io.of(name);
    const { connection } = await engine.join("/a");
    await engine.join("/b", undefined, connection);
    connection.receive("0/c,");
    await settled();
    expect(connection.take()).toEqual([`4/c,${REFUSED}`]);
    connection.receive("1/b,");
    expect((await engine.join("/c", undefined, connection)).sid).toHaveLength(20);
  });

  it("whose middlewares are running count, and have a limit of their own", async () => {
    const { io, engine } = serve({ maxPendingConnects: 1 });
    for (const name of ["/a", "/b"]) io.of(name).use(() => {});
    const connection = engine.open();
    connection.receive("0/a,", "0/b,");
    await settled();
    expect(connection.take()).toEqual([`4/b,${REFUSED}`]);
  });

  it("with a name of more than 1,024 chars are not made, whatever a pattern says", async () => {
    const { io, engine } = serve();
    io.of(/^\/dynamic-/);
    const longest = `/dynamic-${"x".repeat(1015)}`;
    expect((await engine.join(longest)).sid).toHaveLength(20);
    const connection = engine.open();
    connection.receive(`0${longest}x,`);
    await settled();
    expect(connection.take()).toEqual([`4${longest}x,{"message":"Invalid namespace"}`]);
    expect(io._nsps.has(`${longest}x`)).toBe(false);
  });

  it("that a pattern may have are bounded, and those that exist can still be joined", async () => {
    const { io, engine } = serve({ maxDynamicNamespaces: 2 });
    io.of(/^\/dynamic-/);
    await engine.join("/dynamic-1");
    await engine.join("/dynamic-2");
    const connection = engine.open();
    connection.receive("0/dynamic-3,");
    await settled();
    expect(connection.take()).toEqual([`4/dynamic-3,${REFUSED}`]);
    expect((await engine.join("/dynamic-2")).sid).toHaveLength(20);
  });
});

describe("a connection without a namespace", () => {
  it("ends after the connect timeout also when it has left the last one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { engine } = serve({ connectTimeout: 1000 });
    const { connection } = await engine.join();
    vi.advanceTimersByTime(5000);
    expect(connection.readyState).toBe("open");
    connection.receive("1");
    vi.advanceTimersByTime(999);
    expect(connection.readyState).toBe("open");
    vi.advanceTimersByTime(1);
    expect(connection.readyState).toBe("closed");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what waits for a client", () => {
  it("is told in bytes, and drained() resolves when the connection is idle or over", async () => {
    const { io, engine } = serve();
    const { connection, sid } = await engine.join();
    const socket = io.sockets.sockets.get(sid)!;
    expect(socket.bufferedAmount).toBe(0);
    await socket.drained();
    const busy = Object.assign(connection, { bufferedAmount: 1000 });
    busy.transport.writable = false;
    expect(socket.bufferedAmount).toBe(1000);
    let idle = false;
    const drained = socket.drained().then(() => (idle = true));
    await settled();
    expect(idle).toBe(false);
    busy.bufferedAmount = 0;
    busy.transport.writable = true;
    connection.emit("idle");
    await drained;
    expect(connection.listenerCount("idle")).toBe(0);
    busy.bufferedAmount = 1000;
    await socket.drained();
    busy.transport.writable = false;
    const over = socket.drained();
    connection.drop();
    await over;
    expect(connection.listenerCount("idle")).toBe(0);
  });
});
