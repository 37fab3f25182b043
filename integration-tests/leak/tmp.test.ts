import { it } from "vitest";
import { POLLING_CYCLES, WEBSOCKET_CYCLES, runCycles } from "./cycles.js";
import { startMeasuredServer } from "./measured-server.js";
it("x", async () => {
  const server = await startMeasuredServer();
  for (const c of [...POLLING_CYCLES, ...WEBSOCKET_CYCLES]) {
    const t = performance.now();
    await runCycles(server.port, [c], 200);
    const t2 = performance.now();
    await server.measure();
    console.log(c.name, t2 - t, performance.now() - t2);
  }
  await server.stop();
}, 500000);
