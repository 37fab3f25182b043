import { describe, expect, it, vi } from "vitest";
import { FakeEngine, turn } from "./fake-engine.js";
import { Server, type ListenerFailure, type Namespace, type ParentNamespace, type ServerOptions } from "./index.js";

function serve(options?: Partial<ServerOptions>): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server(options).bind(engine), engine };
}

describe("a namespace by name", () => {
  it("is made once, with or without its slash", () => {
    const { io } = serve();
    expect(io.of("")).toBe(io.sockets);
    expect(io.of("/")).toBe(io.sockets);
    expect(io.of("abc")).toBe(io.of("/abc"));
    expect([...io._nsps.keys()]).toEqual(["/", "/abc"]);
  });

  it("adds a listener of connections each time it is given one", async () => {
    const { io, engine } = serve();
    const listeners = [vi.fn(), vi.fn()];
    for (const listener of listeners) io.of("/chat", listener);
    await engine.join("/chat");
    for (const listener of listeners) expect(listener).toHaveBeenCalledTimes(1);
  });

  it("refuses at once a middleware that is no function, which no client could pass", () => {
    const { io } = serve();
    for (const wrong of [undefined, {}]) expect(() => io.of("/chat").use(wrong as never)).toThrow(TypeError);
  });

  it("is announced on the main one", () => {
    const { io } = serve();
    const announced: string[] = [];
    io.on("new_namespace", (namespace) => announced.push(namespace.name));
    io.of("/a");
    io.of("/a");
    io.of("/");
    expect(announced).toEqual(["/a"]);
  });
});

describe("a namespace by pattern", () => {
  it("admits the names that match, each as a namespace of its own", async () => {
    const { io, engine } = serve();
    const announced: string[] = [];
    const connected: string[] = [];
    io.on("new_namespace", ({ name }) => announced.push(name));
    const parent = io.of(/^\/dynamic-\d+$/) as ParentNamespace;
    parent.use((socket, next) => {
      socket.data.seen = true;
      next();
    });
    parent.on("connection", (socket) => connected.push(socket.nsp.name, String(socket.data.seen)));
    await engine.join("/dynamic-1");
    await engine.join("/dynamic-1");
    await engine.join("/dynamic-2");
    expect(announced).toEqual(["/dynamic-1", "/dynamic-2"]);
    expect(connected).toEqual(["/dynamic-1", "true", "/dynamic-1", "true", "/dynamic-2", "true"]);
    expect(parent.children.size).toBe(2);
    expect(io._nsps.has(parent.name)).toBe(false);
    expect(parent.name).toMatch(/^\/_\d+$/);
    await expect(engine.join("/dynamic-x")).rejects.toThrow("Invalid namespace");
  });

  it("takes what is asked for by name into its children", () => {
    const { io } = serve();
    const parent = io.of(/^\/dynamic-\d+$/) as ParentNamespace;
    const child = io.of("/dynamic-101");
    expect(parent.children.has(child)).toBe(true);
    expect(io.of("/static")).not.toBe(child);
    expect(parent.children.size).toBe(1);
  });

  it("broadcasts to all its children", async () => {
    const { io, engine } = serve();
    const parent = io.of(/^\/d/);
    const first = await engine.join("/d1");
    const second = await engine.join("/d2");
    await io.of("/d2").sockets.get(second.sid)!.join("room");
    parent.emit("all", 1);
    parent.to("room").emit("some");
    parent.except("room").volatile.emit("others");
    expect(first.connection.take()).toEqual(['2/d1,["all",1]', '2/d1,["others"]']);
    expect(second.connection.take()).toEqual(['2/d2,["all",1]', '2/d2,["some"]']);
  });

  it("cannot fetch sockets nor gather acknowledgements", () => {
    const parent = serve().io.of(/x/);
    expect(() => parent.fetchSockets()).toThrow("fetchSockets() is not supported on parent namespaces");
    expect(() => parent.timeout(10).emit("x", () => {})).toThrow("not supported on parent namespaces");
  });

  it.each(["g", "y"])("must not keep state with the flag %s", (flag) => {
    expect(() => serve().io.of(new RegExp("x", flag))).toThrow("stateful regular expressions are not supported");
  });
});

describe("a namespace by function", () => {
  it("asks one after the other until one admits the name, and reports those that fail", async () => {
    const failures: ListenerFailure[] = [];
    const { io, engine } = serve({ onListenerError: (failure) => failures.push(failure) });
    const asked: unknown[] = [];
    io.of((name, auth, decide) => {
      asked.push(["first", name, auth]);
      decide(new Error("no"), true);
    });
    io.of(() => {
      asked.push("throws");
      throw new Error("broken");
    });
    io.of(async () => {
      asked.push("rejects");
      throw new Error("broken");
    });
    const last = io.of((_name, _auth, decide) => {
      asked.push("last");
      decide(null, true);
      decide(null, false);
    }) as ParentNamespace;
    await engine.join("/x", { token: 1 });
    expect(asked).toEqual([["first", "/x", { token: 1 }], "throws", "rejects", "last"]);
    expect(failures).toMatchObject(Array(2).fill({ error: { message: "broken" } }));
    expect([...last.children].map(({ name }) => name)).toEqual(["/x"]);
    expect(io.of("/y")).not.toBe(last);
    expect(last.children.size).toBe(1);
  });

  it("makes one namespace for clients that ask at the same time", async () => {
    const { io, engine } = serve();
    const announced = vi.fn();
    const decisions: (() => void)[] = [];
    io.on("new_namespace", announced);
    io.of((_name, _auth, decide) => void decisions.push(() => decide(null, true)));
    const connections = [engine.open(), engine.open()];
    for (const connection of connections) connection.receive("0/x,");
    connections[0]!.receive("0/x,");
    expect(connections[0]!.readyState).toBe("closed");
    connections.push(engine.open());
    connections[2]!.receive("0/x,");
    for (const decide of decisions) decide();
    await turn();
    expect(announced).toHaveBeenCalledTimes(1);
    expect(io.of("/x").sockets.size).toBe(2);
  });
});

describe("an empty child namespace", () => {
  it("goes with its last socket when asked so, and comes back", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true });
    const parent = io.of(/^\/d/) as ParentNamespace;
    const first = await engine.join("/d1");
    const second = await engine.join("/d1");
    const closed = vi.spyOn(io.of("/d1").adapter, "close");
    first.connection.drop();
    expect(io._nsps.has("/d1")).toBe(true);
    second.connection.receive("1/d1,");
    expect(io._nsps.has("/d1")).toBe(false);
    expect(parent.children.size).toBe(0);
    expect(closed).toHaveBeenCalledTimes(1);
    await engine.join("/d1");
    expect(io._nsps.has("/d1")).toBe(true);
  });

  it("goes when its middlewares have refused the only socket", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true });
    io.of(/^\/d/).use((_socket, next) => next(new Error("no")));
    await expect(engine.join("/d1")).rejects.toThrow("no");
    expect(io._nsps.has("/d1")).toBe(false);
  });

  it("is not made for a client that has gone while the function decided", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true });
    let decide: ((error: Error | null, allow: boolean) => void) | undefined;
    io.of((_name, _auth, next) => void (decide = next));
    const connection = engine.open();
    connection.receive("0/d1,");
    connection.drop();
    decide?.(null, true);
    expect(io._nsps.has("/d1")).toBe(false);
  });

  it("goes when the only client has gone while its session was looked up", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true, connectionStateRecovery: {} });
    io.of(/^\/d/);
    const connection = engine.open();
    connection.receive('0/d1,{"pid":"a","offset":"b"}');
    connection.drop();
    await turn();
    expect(io._nsps.has("/d1")).toBe(false);
  });

  it("stays as long as a session of another client is looked up", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true, connectionStateRecovery: {} });
    io.of(/^\/d/);
    const first = await engine.join("/d1");
    const second = engine.open();
    second.receive('0/d1,{"pid":"a","offset":"b"}');
    first.connection.drop();
    await turn();
    expect(io.of("/d1").sockets.size).toBe(1);
    expect(second.take()).toHaveLength(1);
  });

  it("stays otherwise, and so do those that were made by name", async () => {
    const kept = serve();
    kept.io.of(/^\/d/);
    const child = await kept.engine.join("/d1");
    child.connection.drop();
    expect(kept.io._nsps.has("/d1")).toBe(true);
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true });
    io.of("/static");
    const joined = await engine.join("/static");
    joined.connection.drop();
    expect(io._nsps.has("/static")).toBe(true);
  });
});

describe("a new adapter", () => {
  it("replaces that of each namespace and is initialised", () => {
    const { io } = serve();
    io.of("/a");
    const init = vi.fn();
    const made: Namespace[] = [];
    const BaseAdapter = io.of("/a").adapter.constructor as new (namespace: Namespace) => Namespace["adapter"];
    const make = (namespace: Namespace): Namespace["adapter"] => {
      made.push(namespace);
      return Object.assign(new BaseAdapter(namespace), { init });
    };
    expect(io.adapter(make)).toBe(io);
    expect(io.adapter()).toBe(make);
    expect(made).toEqual([io.sockets, io.of("/a")]);
    expect(init).toHaveBeenCalledTimes(2);
  });
});
