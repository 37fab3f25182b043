import { setTimeout as sleep } from "node:timers/promises";

const CONNECTIONS = 5_000;
const WARM_UP_CONNECTIONS = 300;
const SETTLE_MS = 300;

/** What one idle connection keeps alive on the server, after full collections before and after. */
export const IDLE_MEMORY_SCENARIO = {
  name: "idle-memory",
  title: `memory at ${CONNECTIONS} idle connections, per connection`,
  unit: "kB/connection",
  async run({ server, connect, disconnect }) {
    // The first connections load and compile code, which is no cost of a connection.
    await connect(WARM_UP_CONNECTIONS);
    disconnect();
    await sleep(SETTLE_MS);
    const before = await server.ask("memory");
    await connect(CONNECTIONS);
    await sleep(SETTLE_MS);
    const after = await server.ask("memory");
    const perConnection = (field) => (after[field] - before[field]) / CONNECTIONS / 1024;
    const heap = perConnection("heapUsed");
    const external = perConnection("external");
    return { value: heap + external, heap, external, rss: perConnection("rss") };
  },
};
