import { collectMemory } from "../collect-memory.mjs";
import { startCpuProfile } from "../cpu-profile.mjs";
import { createLoads } from "./loads.mjs";

/*
 * What every client process shares: connections to the server under its control, the loads, and the control channel (Node's
 * IPC). The process measures itself, so the CPU of the server is never counted.
 */

/** Below the listen backlog of Node (511): a burst above it makes the kernel drop SYNs, each of which costs a second. */
const CONNECTIONS_AT_ONCE = 50;

/**
 * @param {object} client
 * @param {string} client.version shown in the report
 * @param {(url: string, options: object) => import("socket.io-client").Socket} client.io
 */
export function serveClient({ version, io }) {
  process.once("disconnect", () => process.exit());
  const sockets = [];
  let stopProfile = null;

  const connectOne = (url) =>
    new Promise((resolve, reject) => {
      const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false });
      sockets.push(socket);
      socket.once("connect", resolve).once("connect_error", reject);
    });

  const commands = {
    async connect({ port, count }) {
      const url = `http://127.0.0.1:${port}`;
      for (let rest = count; rest > 0; rest -= CONNECTIONS_AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(rest, CONNECTIONS_AT_ONCE) }, () => connectOne(url)));
      }
      return sockets.length;
    },
    disconnect() {
      for (const socket of sockets.splice(0)) socket.disconnect();
      return true;
    },
    memory: collectMemory,
    async run({ load, count }) {
      const run = createLoads(sockets)[load];
      const before = snapshot();
      const messages = await run(count);
      return { messages, ...spentSince(before) };
    },
    async startProfile() {
      stopProfile = await startCpuProfile();
      return true;
    },
    stopProfile: ({ file }) => stopProfile(file),
  };
  process.on("message", async (message) => {
    const value = await commands[message.command](message);
    process.send({ id: message.id, value });
  });
  process.send({ ready: { version } });
}

function snapshot() {
  return { ...process.cpuUsage(), turns: performance.nodeTiming.uvMetricsInfo.loopCount, wallMs: performance.now() };
}

function spentSince(before) {
  const after = snapshot();
  return Object.fromEntries(Object.entries(after).map(([field, value]) => [field, value - before[field]]));
}
