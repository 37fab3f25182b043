import { describe, expect, it } from "vitest";
import { Adapter } from "@plugboard/server";
import { interopSuite } from "../../support/interop-suite.js";

interopSuite("adapters", ({ startServer }) => {
  it("keeps plain events alone for clients that come back, with the offset in the data that was given", async () => {
    const { io } = await startServer({ connectionStateRecovery: {} });
    const { adapter } = io.of("/");
    const everybody = { rooms: new Set<string>(), except: new Set<string>() };
    const first: unknown[] = ["first"];
    const second: unknown[] = ["second", { nested: 1 }];
    adapter.persistSession({ sid: "s", pid: "p", rooms: ["s"], data: { name: "x" } } as never);

    adapter.broadcast({ type: 2, nsp: "/", data: first }, everybody);
    adapter.broadcast({ type: 2, nsp: "/", id: 1, data: ["asks"] }, everybody);
    adapter.broadcast({ type: 3, nsp: "/", id: 2, data: ["answers"] }, everybody);
    adapter.broadcast({ type: 2, nsp: "/", data: ["volatile"] }, { ...everybody, flags: { volatile: true } });
    adapter.broadcast({ type: 2, nsp: "/", data: second }, everybody);

    expect(first).toEqual(["first", expect.any(String)]);
    expect(second).toEqual(["second", { nested: 1 }, expect.any(String)]);
    const session = await adapter.restoreSession("p", first[1] as string);
    expect(session).toMatchObject({ sid: "s", pid: "p", rooms: ["s"], data: { name: "x" } });
    expect(session?.missedPackets).toEqual([second]);
    expect(session?.missedPackets[0]).toBe(second);
  });
});

describe("an adapter of ours", () => {
  it("works for a namespace that is nothing but an encoder", async () => {
    const adapter = new Adapter({ server: { encoder: { encode: () => ["2[]"] } } });
    const log: unknown[] = [];
    adapter.on("create-room", (room) => log.push(room));

    void adapter.addAll("s1", new Set(["r1", "r2"]));
    void adapter.del("s1", "r1");

    expect(log).toEqual(["r1", "r2"]);
    expect(adapter.socketRooms("s1")).toEqual(new Set(["r2"]));
    adapter.delAll("s1");
    expect(adapter.rooms.size).toBe(0);
    expect(adapter.sids.size).toBe(0);
    expect(await adapter.serverCount()).toBe(1);
  });
});
