import { once } from "node:events";
import { RawWebSocketPeer, startEngine } from "@plugboard/testkit";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

// Read when the first module asks for a logger.
vi.hoisted(() => {
  process.env["DEBUG"] = "engine,engine:*";
  process.env["DEBUG_COLORS"] = "no";
});

let written: string[] = [];
beforeEach(() => void (written = []));
// Not taken back: what servers say when they are closed after the last test is not for the report.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text).trimEnd());
    return true;
  });
});

/** The lines of one namespace, without the date in front. */
function linesOf(namespace: string): string[] {
  const start = ` ${namespace} `;
  return written.filter((line) => line.includes(start)).map((line) => line.slice(line.indexOf(start) + start.length));
}

describe("DEBUG=engine,engine:*", () => {
  it("tells of the life of a session over polling", async () => {
    const { url, peer } = await startEngine();
    const { sid } = await peer.open();
    await fetch(url);
    await peer.post("1");
    expect(linesOf("engine")).toEqual([
      "serves /engine.io/",
      `opens ${sid} over polling for 127.0.0.1`,
      expect.stringMatching(/^refuses GET \/engine\.io\/: 0 \{ transport: undefined \}$/),
    ]);
    expect(linesOf("engine:polling")).toEqual(["is closed by the client"]);
    expect(linesOf("engine:transport")).toEqual([`${sid}: polling is closed`]);
    expect(linesOf("engine:socket")).toEqual([`${sid}: opens over polling`, `${sid}: is closed, transport close`]);
  });

  it("tells of an upgrade, and of one that was given up", async () => {
    const { url, peer, connected } = await startEngine();
    const { sid } = await peer.open();
    const session = await connected;
    const open = async (): Promise<RawWebSocketPeer> => {
      const candidate = new RawWebSocketPeer(`${url}?EIO=4&transport=websocket&sid=${sid}`);
      await candidate.opened();
      return candidate;
    };
    const first = await open();
    first.send("4too early");
    await first.closed;
    const upgraded = once(session, "upgrade");
    (await open()).send("5");
    await upgraded;
    expect(linesOf("engine:socket").slice(1)).toEqual([
      `${sid}: tries websocket`,
      `${sid}: gives up websocket, because it has sent something else`,
      `${sid}: tries websocket`,
      `${sid}: moves from polling to websocket`,
    ]);
  });

  it("tells why a websocket fails", async () => {
    const { url, connected } = await startEngine({ maxHttpBufferSize: 10 });
    const peer = new RawWebSocketPeer(`${url}?EIO=4&transport=websocket`);
    const session = await connected;
    await peer.next();
    peer.send("4" + "x".repeat(10));
    await peer.closed;
    expect(linesOf("engine:ws")[0]).toMatch(/Max payload size exceeded/);
    expect(linesOf("engine:transport")[0]).toContain(`${session.id}: websocket fails`);
  });

  it("says nothing of packets", async () => {
    const { url, connected } = await startEngine();
    const peer = new RawWebSocketPeer(`${url}?EIO=4&transport=websocket`);
    const session = await connected;
    session.on("message", (data: string) => session.send(data));
    await peer.next();
    const before = written.length;
    for (let count = 0; count < 10; count++) {
      peer.send(`4${count}`);
      expect(await peer.next()).toBe(`4${count}`);
    }
    expect(written.slice(before)).toEqual([]);
  });
});
