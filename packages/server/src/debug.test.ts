import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEngine, turn } from "./fake-engine.js";
import { Server } from "./index.js";

// Read when the first module asks for a logger.
vi.hoisted(() => {
  process.env["DEBUG"] = "socket.io:*,socket.io-adapter,socket.io-parser";
  process.env["DEBUG_COLORS"] = "no";
});

let written: string[] = [];
beforeEach(() => void (written = []));
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text).trimEnd());
    return true;
  });
});
afterAll(() => void vi.restoreAllMocks());

/** The first lines of what was written to one namespace, without the date in front. */
function linesOf(namespace: string): string[] {
  const start = ` ${namespace} `;
  return written
    .filter((line) => line.includes(start))
    .map((line) => line.slice(line.indexOf(start) + start.length).split("\n")[0]!);
}

function serve(options = {}): { io: Server; engine: FakeEngine } {
  const engine = new FakeEngine();
  return { io: new Server(options).bind(engine), engine };
}

describe("DEBUG=socket.io:*", () => {
  it("tells of the life of a socket", async () => {
    const { io, engine } = serve();
    const { connection, sid } = await engine.join();
    void io.sockets.sockets.get(sid)!.join("room");
    connection.receive("1");
    await turn();
    expect(linesOf("socket.io:namespace")).toEqual(["/ is made", `/ lets ${sid} in`, `/ is left by ${sid}`]);
    expect(linesOf("socket.io:client")).toEqual([`${connection.id} asks for /`]);
    expect(linesOf("socket.io:socket")).toEqual([
      `${sid} is connected to /`,
      `${sid} joins '${sid}'`,
      `${sid} joins 'room'`,
      `${sid} leaves /: client namespace disconnect`,
    ]);
  });

  it("tells who is refused, and why", async () => {
    const { io, engine } = serve();
    io.use((_socket, next) => next(new Error("not you")));
    const connection = engine.open();
    connection.receive("0");
    connection.receive("0/nowhere,");
    await turn();
    expect(linesOf("socket.io:namespace").at(-1)).toMatch(/^\/ refuses \S+: Error: not you$/);
    expect(linesOf("socket.io:client")).toEqual([
      `${connection.id} asks for /`,
      `${connection.id} asks for /nowhere`,
      `${connection.id} is refused /nowhere: Invalid namespace`,
      `${connection.id} is refused /: not you`,
    ]);
  });

  it("shows control characters instead of writing them: a client's text is no line of its own", async () => {
    const { engine } = serve();
    const connection = engine.open();
    connection.receive("0/a\n2026 engine forged\u001b[2J\u0007,");
    connection.receive("2[broken\r\n");
    await turn();
    expect(linesOf("socket.io:client")[0]).toBe(`${connection.id} asks for /a\\x0a2026 engine forged\\x1b[2J\\x07`);
    // oxlint-disable-next-line no-control-regex
    expect(linesOf("socket.io-parser").join()).not.toMatch(/[\u0000-\u001f]/);
    expect(linesOf("socket.io-parser").length).toBe(1);
  });

  it("tells of dynamic namespaces and of the end of a server", async () => {
    const { io, engine } = serve({ cleanupEmptyChildNamespaces: true });
    const parent = io.of(/^\/room-/);
    const { connection } = await engine.join("/room-1");
    connection.drop();
    await io.close();
    expect(linesOf("socket.io:parent-namespace")).toEqual([
      `${parent.name} makes /room-1`,
      `${parent.name} drops /room-1, which is empty`,
    ]);
    expect(linesOf("socket.io:server")).toEqual(["closes 1 namespaces", "is closed"]);
  });

  it("tells how many have answered a broadcast in time", async () => {
    const { io, engine } = serve();
    await engine.join();
    await io
      .timeout(1)
      .emitWithAck("question")
      .catch(() => {});
    expect(linesOf("socket.io:broadcast-operator")).toEqual(["0 of 1 clients have answered: operation has timed out"]);
  });

  it("says nothing of packets", async () => {
    const { io, engine } = serve();
    const { connection, sid } = await engine.join();
    io.sockets.sockets.get(sid)!.on("question", (answer: (value: string) => void) => answer("yes"));
    const before = written.length;
    for (let count = 0; count < 10; count++) connection.receive(`2${count}["question"]`);
    io.emit("news");
    await turn();
    expect(connection.take()).toHaveLength(11);
    expect(written.slice(before)).toEqual([]);
  });
});

describe("DEBUG=socket.io-adapter,socket.io-parser", () => {
  it("tells of sessions that are kept and restored", async () => {
    const { io, engine } = serve({ connectionStateRecovery: {} });
    const { connection, sid, pid } = await engine.join();
    io.emit("news");
    const [, offset] = JSON.parse(String(connection.take()[0]).slice(1)) as [string, string];
    connection.drop();
    await engine.join("/", { pid, offset });
    expect(linesOf("socket.io-adapter")).toEqual([
      `/: keeps the session of ${sid}`,
      `/: restores the session of ${sid}`,
    ]);
    expect(linesOf("socket.io:socket").at(-2)).toBe(`${sid} is connected to /, recovered`);
  });

  it("tells what cannot be decoded", async () => {
    const { engine } = serve();
    const { connection } = await engine.join();
    connection.receive("nonsense");
    expect(linesOf("socket.io-parser")).toEqual([
      expect.stringMatching(new RegExp(`^cannot decode what ${connection.id} sends: .*unknown packet type NaN`)),
    ]);
  });
});
