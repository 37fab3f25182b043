import { openConnections } from "./load/connections.mjs";
import { within } from "./load/within.mjs";
import { PeerProcess } from "./peer-process.mjs";

const RUN_LIMIT_MS = 40_000;

/**
 * @typedef {object} ScenarioContext
 * @property {PeerProcess} server
 * @property {(count: number) => Promise<import("./load/raw-websocket-client.mjs").RawWebSocketClient[]>} connect
 * @property {() => void} disconnect drops all connections opened so far
 * @property {(error: Error) => void} fail ends the run
 * @property {{ warmUpMs: number, measureMs: number }} timing
 * @property {{ file: string, summary?: import("./peers/cpu-profile.mjs").ProfileSummary } | null} profile
 */

/**
 * One sample: a fresh peer process, the scenario's load, the end of both.
 *
 * @param {import("./scenarios/index.mjs").Scenario} scenario
 * @param {string} peerName
 * @param {Pick<ScenarioContext, "timing" | "profile"> & { serverOfClients: string }} settings
 */
export function runScenario(scenario, peerName, settings) {
  return scenario.side === "client"
    ? runClientScenario(scenario, peerName, settings)
    : runServerScenario(scenario, peerName, settings);
}

/** The client under test against a server that is the same for all. */
async function runClientScenario(scenario, peerName, { serverOfClients, ...settings }) {
  const server = await PeerProcess.start(`talker-${serverOfClients}`);
  try {
    const client = await PeerProcess.start(`clients/${peerName}`);
    try {
      const run = scenario.run({ client, server, ...settings });
      return await within(RUN_LIMIT_MS, `${scenario.name} on ${peerName}`, run);
    } finally {
      await client.stop();
    }
  } finally {
    await server.stop();
  }
}

async function runServerScenario(scenario, peerName, settings) {
  const server = await PeerProcess.start(peerName);
  let clients = [];
  let fail;
  const failed = new Promise((_, reject) => (fail = reject));
  const disconnect = () => {
    for (const client of clients) client.destroy();
    clients = [];
  };
  const connect = async (count) => {
    const opened = await openConnections(server.ready, count, fail);
    clients.push(...opened);
    return opened;
  };
  try {
    const run = scenario.run({ server, connect, disconnect, fail, ...settings });
    return await within(RUN_LIMIT_MS, `${scenario.name} on ${peerName}`, Promise.race([run, failed]));
  } finally {
    disconnect();
    await server.stop();
  }
}
