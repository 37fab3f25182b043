import { measureCpu } from "./measure-cpu.mjs";

const CONNECTIONS = 100;

/** Connections that come over websocket, join and go again. */
export const CONNECT_SCENARIO = {
  name: "connect",
  title: "connections that come, join and go, 100 at a time",
  unit: "us/connection",
  run: (context) =>
    measureCpu(context, async (durationMs) => {
      const end = performance.now() + durationMs;
      let connections = 0;
      while (performance.now() < end) {
        await context.connect(CONNECTIONS);
        context.disconnect();
        connections += CONNECTIONS;
      }
      return connections;
    }),
};
