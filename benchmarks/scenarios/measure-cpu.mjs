/**
 * Runs a load twice, to warm up and to measure, and divides the server's own CPU time by the messages of the second run.
 *
 * @param {import("../run-scenario.mjs").ScenarioContext} context
 * @param {(durationMs: number) => Promise<number>} drive loads the server, lets everything in flight arrive, returns the message count
 */
export async function measureCpu({ server, timing, profile }, drive) {
  await drive(timing.warmUpMs);
  if (profile !== null) await server.ask("startProfile");
  const before = await server.ask("cpu");
  const startMs = performance.now();
  const messages = await drive(timing.measureMs);
  const wallMs = performance.now() - startMs;
  const after = await server.ask("cpu");
  if (profile !== null) profile.summary = await server.ask("stopProfile", { file: profile.file });
  const cpuUs = after.user - before.user + (after.system - before.system);
  return {
    value: cpuUs / messages,
    systemShare: (after.system - before.system) / cpuUs,
    perSecond: (messages / wallMs) * 1000,
    cpuShare: cpuUs / 1000 / wallMs,
    perTurn: messages / (after.turns - before.turns),
  };
}
