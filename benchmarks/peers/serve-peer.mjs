import { once } from "node:events";
import { createServer } from "node:http";
import { collectMemory } from "./collect-memory.mjs";
import { startCpuProfile } from "./cpu-profile.mjs";

/*
 * What every peer process shares: an HTTP server on a free loopback port and the control channel (Node's IPC) through which
 * the orchestrator asks for the CPU time spent, for a broadcast, or for memory figures. The process measures itself, so the CPU
 * of the load generator is never counted.
 */

/**
 * @param {object} peer
 * @param {"socket.io" | "websocket"} peer.dialect
 * @param {string} peer.version shown in the report
 * @param {(httpServer: import("node:http").Server) => Attached | Promise<Attached>} peer.attach
 *
 * @typedef {{ broadcast: () => void, counts?: () => object, httpServer?: import("node:http").Server }} Attached `counts` is
 *   what the peer knows of its connections, `httpServer` one of its own
 */
export async function servePeer({ dialect, version, attach }) {
  process.once("disconnect", () => process.exit());
  const given = createServer();
  const { broadcast, counts = () => ({}), httpServer = given } = await attach(given);
  let stopProfile = null;

  const commands = {
    broadcast({ times }) {
      for (let index = 0; index < times; index++) broadcast();
    },
    cpu: () => ({ ...process.cpuUsage(), turns: performance.nodeTiming.uvMetricsInfo.loopCount }),
    memory: collectMemory,
    usage: () => ({ ...process.memoryUsage(), cpu: process.cpuUsage(), ...counts() }),
    async startProfile() {
      stopProfile = await startCpuProfile();
      return true;
    },
    stopProfile: ({ file }) => stopProfile(file),
  };
  process.on("message", async (message) => {
    const value = await commands[message.command](message);
    if (value !== undefined) process.send({ id: message.id, value });
  });

  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  process.send({ ready: { port: httpServer.address().port, dialect, version } });
}
