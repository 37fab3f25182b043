import { machineCapacityUs, machineCpuUs, ownCpuUs } from "./machine-load.mjs";

/**
 * Runs a load twice, to warm up and to measure, and divides the server's own CPU time by the messages of the second run.
 *
 * @param {import("../run-scenario.mjs").ScenarioContext} context
 * @param {(durationMs: number) => Promise<number>} drive loads the server, lets everything in flight arrive, returns the message count
 */
export async function measureCpu({ server, timing, profile }, drive) {
  await drive(timing.warmUpMs);
  if (profile !== null) await server.ask("startProfile");
  const before = await snapshot(server);
  const messages = await drive(timing.measureMs);
  const after = await snapshot(server);
  if (profile !== null) profile.summary = await server.ask("stopProfile", { file: profile.file });

  const spent = (field) => after[field] - before[field];
  const cpuUs = spent("user") + spent("system");
  const wallMs = spent("wallMs");
  return {
    value: cpuUs / messages,
    systemShare: spent("system") / cpuUs,
    perSecond: (messages / wallMs) * 1000,
    cpuShare: cpuUs / 1000 / wallMs,
    messagesPerTurn: messages / spent("turns"),
    // The clocks of the machine tick in 10 ms: a little below zero is rounding.
    othersShare: Math.max(0, (spent("machineUs") - spent("generatorUs") - cpuUs) / machineCapacityUs(wallMs)),
  };
}

async function snapshot(server) {
  const serverCpu = await server.ask("cpu");
  return { ...serverCpu, machineUs: machineCpuUs(), generatorUs: ownCpuUs(), wallMs: performance.now() };
}
