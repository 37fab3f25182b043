import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POLLING_CYCLES, WEBSOCKET_CYCLES, runCycles } from "./cycles.js";
import { startMeasuredServer, type Measurement, type MeasuredServer } from "./measured-server.js";

const WARM_UP_CYCLES = 500;
const CYCLES = 10_000;

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
  const t = performance.now();
  await connectAndDisconnect(CYCLES);
  after = await server.measure();
  console.log(performance.now() - t, before, JSON.stringify(after, null, 1), after.bytes - before.bytes);
}, 120_000);

afterAll(() => server?.stop());

describe("10,000 clients that came over both transports and went in ten ways", () => {
  it("x", () => {});
});
