import { setTimeout as sleep } from "node:timers/promises";
import { machineCapacityUs, machineCpuUs, ownCpuUs } from "./machine-load.mjs";

/** At least one and a half times cheaper than the published client. */
const GOAL_RATIO = 1 / 1.5;
const MEMORY_CONNECTIONS = 1_000;
const MEMORY_WARM_UP_CONNECTIONS = 200;
const SETTLE_MS = 300;

/**
 * What a client costs. The server is ours for all of them, in a process of its own.
 *
 * @typedef {object} ClientContext
 * @property {import("../peer-process.mjs").PeerProcess} client what is measured
 * @property {import("../peer-process.mjs").PeerProcess} server
 * @property {{ measureMs: number }} timing
 * @property {{ file: string, summary?: import("../peers/cpu-profile.mjs").ProfileSummary } | null} profile
 */

/**
 * A load that runs twice, to warm up and to measure, and the CPU time of the client's process.
 *
 * @param {object} settings
 * @param {string} settings.load of `peers/clients/loads.mjs`
 * @param {number} settings.messages in a second of `timing.measureMs`
 */
function cpuScenario({ load, connections, messages, ...description }) {
  return {
    ...description,
    side: "client",
    unit: "us/message",
    async run({ client, server, timing, profile }) {
      const count = Math.round((messages * timing.measureMs) / 1000);
      await client.ask("connect", { port: server.ready.port, count: connections });
      await client.ask("run", { load, count: Math.round(count / 2) });
      if (profile !== null) await client.ask("startProfile");
      const before = await snapshot(server);
      const spent = await client.ask("run", { load, count });
      const after = await snapshot(server);
      if (profile !== null) profile.summary = await client.ask("stopProfile", { file: profile.file });
      const cpuUs = spent.user + spent.system;
      const othersUs = after.machineUs - before.machineUs - (after.knownUs - before.knownUs) - cpuUs;
      return {
        value: cpuUs / spent.messages,
        systemShare: spent.system / cpuUs,
        perSecond: (spent.messages / spent.wallMs) * 1000,
        cpuShare: cpuUs / 1000 / spent.wallMs,
        messagesPerTurn: spent.messages / spent.turns,
        // The clocks of the machine tick in 10 ms: a little below zero is rounding.
        othersShare: Math.max(0, othersUs / machineCapacityUs(after.wallMs - before.wallMs)),
      };
    },
  };
}

/** What the machine has spent so far, and what of it we know who did. */
async function snapshot(server) {
  const { user, system } = await server.ask("cpu");
  return { machineUs: machineCpuUs(), knownUs: user + system + ownCpuUs(), wallMs: performance.now() };
}

const memoryScenario = {
  name: "client-memory",
  title: `memory of a client at ${MEMORY_CONNECTIONS} connected sockets with forceNew, per socket`,
  side: "client",
  unit: "kB/connection",
  async run({ client, server }) {
    const { port } = server.ready;
    // The first connections load and compile code, which is no cost of a connection.
    await client.ask("connect", { port, count: MEMORY_WARM_UP_CONNECTIONS });
    await client.ask("disconnect");
    await sleep(SETTLE_MS);
    const before = await client.ask("memory");
    await client.ask("connect", { port, count: MEMORY_CONNECTIONS });
    await sleep(SETTLE_MS);
    const after = await client.ask("memory");
    const perConnection = (field) => (after[field] - before[field]) / MEMORY_CONNECTIONS / 1024;
    const heap = perConnection("heapUsed");
    const external = perConnection("external");
    return { value: heap + external, heap, external, rss: perConnection("rss") };
  },
};

export const CLIENT_SCENARIOS = [
  cpuScenario({
    name: "client-ack-16",
    title: "client: event + ack, 16 in flight on one connection",
    goalRatio: GOAL_RATIO,
    load: "ack",
    connections: 1,
    messages: 100_000,
  }),
  cpuScenario({
    name: "client-ack-16x20",
    title: "client: event + ack, 16 in flight on each of 20 connections of one process",
    goalRatio: GOAL_RATIO,
    load: "ack",
    connections: 20,
    messages: 100_000,
  }),
  cpuScenario({
    name: "client-receive",
    title: "client: a stream of events received on one connection",
    goalRatio: GOAL_RATIO,
    load: "receive",
    connections: 1,
    messages: 200_000,
  }),
  cpuScenario({
    name: "client-send",
    title: "client: a stream of events sent on one connection, 100 in a turn",
    load: "send",
    connections: 1,
    messages: 100_000,
  }),
  memoryScenario,
];
