import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POLLING_CYCLES, WEBSOCKET_CYCLES, runCycles } from "./cycles.js";
import { startMeasuredServer, type Measurement, type MeasuredServer } from "./measured-server.js";

const WARM_UP_CYCLES = 500;
const CYCLES = 10_000;

/** 200 bytes a cycle; one forgotten session alone takes ten times as much. What grows is code that V8 compiles late. */
const MAX_GROWTH_BYTES = 2_000_000;

let server: MeasuredServer;
let before: Measurement;
let after: Measurement;

/** Half of them over polling, half over websocket. */
async function connectAndDisconnect(count: number): Promise<void> {
  await runCycles(server.port, POLLING_CYCLES, count / 2);
  await runCycles(server.port, WEBSOCKET_CYCLES, count / 2);
}

beforeAll(async () => {
  server = await startMeasuredServer();
  await connectAndDisconnect(WARM_UP_CYCLES);
  before = await server.measure();
  await connectAndDisconnect(CYCLES);
  after = await server.measure();
});

afterAll(() => server?.stop());

describe("10,000 clients that come over both transports and go in ten ways", () => {
  it("leave no connection, socket, room or namespace", () => {
    expect(after.held).toMatchObject({
      clients: 0,
      clientIds: 0,
      sockets: 0,
      pendingSockets: 0,
      rooms: 0,
      socketIds: 0,
      namespaces: ["/"],
    });
  });

  it("leave no timer and no handle", () => {
    expect(after.held.resources).toEqual(before.held.resources);
    expect(after.held.resources).not.toContain("Timeout");
  });

  it("leave no listener", () => {
    expect(after.held.listeners).toEqual(before.held.listeners);
  });

  it("leave no growing memory", () => {
    expect(after.bytes - before.bytes).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
