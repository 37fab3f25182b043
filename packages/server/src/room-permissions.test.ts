import { describe, expect, it, vi } from "vitest";
import { FakeEngine, turn, type FakeConnection } from "./fake-engine.js";
import { Server } from "./index.js";

async function serve(): Promise<{
  io: Server;
  connection: FakeConnection;
  sid: string;
  ask(text: string): Promise<unknown>;
}> {
  const engine = new FakeEngine();
  const io = new Server({ onListenerError: () => {} }).bind(engine);
  const { connection, sid } = await engine.join();
  connection.take();
  const ask = async (text: string): Promise<unknown> => {
    connection.receive(`21${text}`);
    await turn();
    return JSON.parse(String(connection.take().at(-1)).slice(2));
  };
  return { io, connection, sid, ask };
}

const FORBIDDEN = [{ status: "error", code: "SIO_FORBIDDEN", message: "You may not join this room" }];

describe("rooms that clients ask for", () => {
  it("are joined when the check of the pattern agrees, be it at once or later", async () => {
    const { io, sid, ask } = await serve();
    const check = vi.fn((_socket: unknown, { id }: { id: string }) => id !== "3");
    io.authorize("orders/:id", check);
    io.authorize("shops/:shop/orders/:order", async (_socket, { shop, order }) => shop === order);
    expect(await ask('["room:join","orders/5"]')).toEqual([{ status: "ok", room: "orders/5" }]);
    expect(await ask('["room:join","orders/3"]')).toEqual(FORBIDDEN);
    expect(await ask('["room:join","shops/a/orders/a"]')).toEqual([{ status: "ok", room: "shops/a/orders/a" }]);
    expect(await ask('["room:join","shops/a/orders/b"]')).toEqual(FORBIDDEN);
    expect([...io.sockets.sockets.get(sid)!.rooms]).toEqual([sid, "orders/5", "shops/a/orders/a"]);
    expect(check).toHaveBeenCalledWith(io.sockets.sockets.get(sid), { id: "5" });
  });

  it("of a child of a dynamic namespace are those of its own patterns, and then those of its parent", async () => {
    const engine = new FakeEngine();
    const io = new Server().bind(engine);
    const parent = io.of(/^\/shop-\d$/);
    const first = await engine.join("/shop-1");
    const second = await engine.join("/shop-2");
    io.of("/shop-1").authorize("orders/:id", () => true);
    parent.authorize("orders/:id", () => false).authorize("news", () => true);
    for (const [{ connection }, name] of [
      [first, "/shop-1"],
      [second, "/shop-2"],
    ] as const) {
      for (const room of ["orders/1", "news"]) connection.receive(`2${name},1["room:join","${room}"]`);
    }
    await turn();
    expect([...io.of("/shop-1").sockets.get(first.sid)!.rooms]).toEqual([first.sid, "orders/1", "news"]);
    expect([...io.of("/shop-2").sockets.get(second.sid)!.rooms]).toEqual([second.sid, "news"]);
  });

  it("that no pattern names are refused, such as those of others, and names that are none", async () => {
    const { io, sid, ask } = await serve();
    io.authorize("orders/:id", () => true);
    io.authorize("a.c", () => true);
    for (const room of [
      "orders/",
      "orders/1/2",
      "xorders/1",
      "orders",
      "abc",
      "",
      "x".repeat(300),
      `orders/${"x".repeat(256)}`,
    ]) {
      expect(await ask(JSON.stringify(["room:join", room]))).toEqual(FORBIDDEN);
    }
    for (const room of [null, 5, {}, ["orders/1"], { toString: 1 }]) {
      expect(await ask(JSON.stringify(["room:join", room]))).toEqual(FORBIDDEN);
    }
    expect(await ask('["room:join"]')).toEqual(FORBIDDEN);
    expect([...io.sockets.sockets.get(sid)!.rooms]).toEqual([sid]);
  });

  it("are refused by a check that fails, without a word of why", async () => {
    const { io, ask } = await serve();
    io.authorize("orders/:id", () => {
      throw new Error("the database is down");
    });
    expect(await ask('["room:join","orders/1"]')).toMatchObject([{ status: "error", code: "SIO_INTERNAL_ERROR" }]);
  });

  it("are decided by the first pattern that matches", async () => {
    const { io, ask } = await serve();
    io.authorize("orders/special", () => false);
    io.authorize("orders/:id", () => true);
    expect(await ask('["room:join","orders/special"]')).toEqual(FORBIDDEN);
    expect(await ask('["room:join","orders/1"]')).toMatchObject([{ status: "ok" }]);
  });

  it("are left on demand, but no others", async () => {
    const { io, sid, ask } = await serve();
    io.authorize("orders/:id", () => true);
    const { rooms, join } = io.sockets.sockets.get(sid)!;
    void join.call(io.sockets.sockets.get(sid), "user:1");
    await ask('["room:join","orders/1"]');
    expect(await ask('["room:leave","orders/1"]')).toEqual([{ status: "ok", room: "orders/1" }]);
    expect(await ask('["room:leave","user:1"]')).toEqual(FORBIDDEN);
    expect(await ask(`["room:leave","${sid}"]`)).toEqual(FORBIDDEN);
    expect([...rooms]).toEqual([sid, "user:1"]);
  });

  it("end at 1000 per socket", async () => {
    const { io, sid, ask } = await serve();
    io.authorize("orders/:id", () => true);
    const socket = io.sockets.sockets.get(sid)!;
    void socket.join(Array.from({ length: 998 }, (_, index) => `room ${index}`));
    expect(await ask('["room:join","orders/1"]')).toMatchObject([{ status: "ok" }]);
    expect(await ask('["room:join","orders/2"]')).toMatchObject([{ code: "SIO_TOO_MANY_ROOMS" }]);
    expect(socket.rooms.size).toBe(1000);
  });

  it("are not joined by a socket that is gone when the check agrees", async () => {
    const { io, sid, connection } = await serve();
    let agree!: (value: boolean) => void;
    io.authorize("orders/:id", () => new Promise((resolve) => (agree = resolve)));
    connection.receive('21["room:join","orders/1"]');
    await turn();
    connection.drop();
    agree(true);
    await turn();
    expect(io.sockets.adapter.rooms.size).toBe(0);
    expect(io.sockets.sockets.has(sid)).toBe(false);
  });

  it("belong to the namespace whose patterns they are", async () => {
    const engine = new FakeEngine();
    const io = new Server({ onListenerError: () => {} }).bind(engine);
    io.of("/shop").authorize("orders/:id", () => true);
    const shop = await engine.join("/shop");
    const main = await engine.join("/");
    shop.connection.receive('2/shop,1["room:join","orders/1"]');
    main.connection.receive('21["room:join","orders/1"]');
    await turn();
    expect(io.of("/shop").adapter.rooms.get("orders/1")).toEqual(new Set([shop.sid]));
    expect(io.of("/").adapter.rooms.has("orders/1")).toBe(false);
  });

  it("have patterns whose parameters have names, each its own", async () => {
    const { io } = await serve();
    for (const pattern of ["a/:", "a/:x y", ":a/:a"]) {
      expect(() => io.authorize(pattern, () => true)).toThrow(TypeError);
    }
  });
});
