import { describe, expect, it, vi } from "vitest";
import { InMemoryAdapter } from "./adapter.js";

interface StubSocket {
  id: string;
  client: { writeToEngine: ReturnType<typeof vi.fn> };
}

function stub(id: string): StubSocket {
  return { id, client: { writeToEngine: vi.fn() } };
}

/** Third parties use the adapter with next to nothing around it. */
function adapterWith(sockets: StubSocket[] = []): InMemoryAdapter {
  const encoder = { encode: () => ["2[]"] };
  const namespace = { server: { encoder }, sockets: new Map(sockets.map((socket) => [socket.id, socket])) };
  return new InMemoryAdapter(namespace as never);
}

describe("rooms", () => {
  it("come and go with their members", () => {
    const adapter = adapterWith();
    void adapter.addAll("s1", new Set(["r1", "r2"]));
    void adapter.addAll("s2", new Set(["r2"]));
    expect(adapter.rooms).toEqual(
      new Map([
        ["r1", new Set(["s1"])],
        ["r2", new Set(["s1", "s2"])],
      ]),
    );
    expect(adapter.socketRooms("s1")).toEqual(new Set(["r1", "r2"]));
    void adapter.del("s1", "r1");
    void adapter.del("unknown", "r1");
    expect([...adapter.rooms.keys()]).toEqual(["r2"]);
    adapter.delAll("s1");
    adapter.delAll("s1");
    expect(adapter.rooms).toEqual(new Map([["r2", new Set(["s2"])]]));
    expect(adapter.socketRooms("s1")).toBeUndefined();
  });

  it("are announced in order, each change once", () => {
    const adapter = adapterWith();
    const log: unknown[][] = [];
    for (const event of ["create-room", "join-room", "leave-room", "delete-room"]) {
      adapter.on(event, (...args) => log.push([event, ...args]));
    }
    void adapter.addAll("s1", new Set(["r"]));
    void adapter.addAll("s1", new Set(["r"]));
    void adapter.addAll("s2", new Set(["r"]));
    void adapter.del("s1", "r");
    adapter.delAll("s2");
    expect(log).toEqual([
      ["create-room", "r"],
      ["join-room", "r", "s1"],
      ["join-room", "r", "s2"],
      ["leave-room", "r", "s1"],
      ["leave-room", "r", "s2"],
      ["delete-room", "r"],
    ]);
  });

  it("may be left from a listener of leaving", () => {
    const adapter = adapterWith();
    const deleted = vi.fn();
    void adapter.addAll("s1", new Set(["r"]));
    adapter.on("leave-room", () => adapter.delAll("s1"));
    adapter.on("delete-room", deleted);
    void adapter.del("s1", "r");
    expect(deleted).toHaveBeenCalledTimes(1);
    expect(adapter.rooms.size).toBe(0);
  });
});

describe("targets", () => {
  it("are the sockets of the namespace in at least one of the rooms", async () => {
    const adapter = adapterWith([stub("s1"), stub("s2")]);
    void adapter.addAll("s1", new Set(["r1", "r2"]));
    void adapter.addAll("s2", new Set(["r2"]));
    void adapter.addAll("s3", new Set(["r2"]));
    expect(await adapter.sockets(new Set())).toEqual(new Set(["s1", "s2"]));
    expect(await adapter.sockets(new Set(["r1", "r2"]))).toEqual(new Set(["s1", "s2"]));
    expect(await adapter.sockets(new Set(["r1"]))).toEqual(new Set(["s1"]));
    expect(await adapter.sockets(new Set(["none"]))).toEqual(new Set());
  });

  it("may lack the methods of our sockets", () => {
    const sockets = [stub("s1"), stub("s2")];
    const adapter = adapterWith(sockets);
    for (const { id } of sockets) void adapter.addAll(id, new Set([id]));
    adapter.broadcast({ type: 2, nsp: "/", data: ["x"] }, { rooms: new Set(), except: new Set(["s2"]) });
    expect(sockets[0]!.client.writeToEngine).toHaveBeenCalledWith(
      ["2[]"],
      expect.objectContaining({ preEncoded: true }),
    );
    expect(sockets[1]!.client.writeToEngine).not.toHaveBeenCalled();
  });

  it("get a broadcast even if one of them leaves on the way", () => {
    const sockets = [stub("s1"), stub("s2"), stub("s3")];
    const adapter = adapterWith(sockets);
    for (const { id } of sockets) void adapter.addAll(id, new Set(["r"]));
    sockets[0]!.client.writeToEngine.mockImplementation(() => adapter.delAll("s1"));
    adapter.broadcast({ type: 2, nsp: "/", data: ["x"] }, { rooms: new Set(["r"]) });
    for (const { client } of sockets) expect(client.writeToEngine).toHaveBeenCalledTimes(1);
  });
});

it("stands alone", async () => {
  const adapter = adapterWith();
  expect(await adapter.serverCount()).toBe(1);
  expect(adapter.restoreSession("pid", "offset")).toBeNull();
  expect(adapter.persistSession({ sid: "s", pid: "p", rooms: [], data: {} })).toBeUndefined();
  expect(adapter.init()).toBeUndefined();
  expect(adapter.close()).toBeUndefined();
});
