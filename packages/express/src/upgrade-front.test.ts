import { EventEmitter } from "node:events";
import type { Server as HttpServer } from "node:http";
import { describe, expect, it } from "vitest";
import { takeUpgrades } from "./upgrade-front.js";

/** A server that upgrades come to by `emit`, as Node does it, and what became of each. */
function serve(): { server: HttpServer; seen: string[]; upgrade: (url: string) => boolean; leave: () => void } {
  const server = new EventEmitter() as HttpServer;
  const seen: string[] = [];
  const leave = takeUpgrades(
    server,
    (req) => req.url === "/ours" && seen.push("taken") > 0,
    () => void seen.push("passed"),
    () => void seen.push("left"),
  );
  const upgrade = (url: string): boolean => server.emit("upgrade", { url } as never, {} as never, Buffer.alloc(0));
  return { server, seen, upgrade, leave };
}

describe("takeUpgrades", () => {
  it("takes its own before any listener hears of them", () => {
    const { server, seen, upgrade } = serve();
    server.on("upgrade", () => seen.push("heard"));
    expect(upgrade("/ours")).toBe(true);
    expect(seen).toEqual(["taken"]);
  });

  it("leaves others to who listens for them, and passes on what nobody listens for", () => {
    const { server, seen, upgrade } = serve();
    upgrade("/theirs");
    server.on("upgrade", () => seen.push("heard"));
    upgrade("/theirs");
    expect(seen).toEqual(["passed", "left", "heard"]);
  });

  it("does not touch other events", () => {
    const { server, seen } = serve();
    server.on("request", (...args: unknown[]) => seen.push(String(args)));
    server.emit("request", "a" as never, "b" as never);
    expect(seen).toEqual(["a,b"]);
  });

  it("leaves no trace when it is undone, and takes nothing when somebody stands in front who goes on calling it", () => {
    const first = serve();
    first.leave();
    expect(Object.getOwnPropertyDescriptor(first.server, "emit")?.value ?? EventEmitter.prototype.emit).toBe(
      EventEmitter.prototype.emit,
    );
    expect(first.server.listenerCount("upgrade")).toBe(0);

    const { server, seen, leave, upgrade } = serve();
    const inner = server.emit;
    const front = function (this: HttpServer, ...args: unknown[]): boolean {
      return Reflect.apply(inner, this, args);
    };
    server.emit = front as typeof server.emit;
    leave();
    expect(server.emit).toBe(front);
    expect(upgrade("/ours")).toBe(false);
    expect(seen).toEqual([]);
  });
});
