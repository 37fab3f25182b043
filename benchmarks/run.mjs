import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PeerProcess } from "./peer-process.mjs";
import { formatProfile, formatScenario, summarizeScenario } from "./report.mjs";
import { runScenario } from "./run-scenario.mjs";
import { SCENARIOS } from "./scenarios/index.mjs";

const PEERS = {
  server: ["plugboard", "socket.io", "ws"],
  client: ["plugboard", "socket.io-client"],
  handlers: ["plugboard", "plugboard-handle", "plugboard-contract"],
  frameworks: ["plugboard", "plugboard-fastify", "plugboard-express"],
  nestjs: ["nestjs/plugboard", "nestjs/socket.io"],
};
const ALL_PEERS = [...new Set(Object.values(PEERS).flat())];
const SERVERS_OF_CLIENTS = ["plugboard", "socket.io"];
const DEFAULTS = { rounds: 5, warmUpMs: 700, measureMs: 1_200 };
const QUICK = { rounds: 1, warmUpMs: 400, measureMs: 600 };
/** Memory hardly varies between processes, and 5,000 connections take long to open. */
const MAX_MEMORY_ROUNDS = 2;

const USAGE = `node benchmarks/run.mjs [options]
  --scenario NAME   only this scenario, may be repeated: ${SCENARIOS.map(({ name }) => name).join(", ")}
  --side SIDE       only what measures this: server, client, handlers (those and contracts beside listeners), frameworks (beside bare Node),
                    nestjs (a gateway, after \`npm ci\` in benchmarks/peers/nestjs)
  --peer NAME       only this peer, may be repeated: ${ALL_PEERS.join(", ")}
  --server NAME     what the clients are connected to: ${SERVERS_OF_CLIENTS.join(" or ")} (default ${SERVERS_OF_CLIENTS[0]})
  --rounds N        samples per peer and scenario (default ${DEFAULTS.rounds})
  --quick           one short round: does it run at all; no numbers to quote
  --json            the result as JSON on stdout, progress on stderr
  --cpu-prof PEER   profile one peer instead of comparing: where its CPU time goes, per scenario
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      scenario: { type: "string", multiple: true },
      side: { type: "string", multiple: true },
      peer: { type: "string", multiple: true },
      server: { type: "string", default: SERVERS_OF_CLIENTS[0] },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "cpu-prof": { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const base = values.quick ? QUICK : DEFAULTS;
  const rounds = values.rounds === undefined ? base.rounds : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1");
  const scenarioNames = pick(
    "--scenario",
    values.scenario,
    SCENARIOS.map(({ name }) => name),
  );
  const sides = pick("--side", values.side, Object.keys(PEERS));
  const peers = pick("--peer", values["cpu-prof"] === undefined ? values.peer : [values["cpu-prof"]], ALL_PEERS);
  return {
    help: values.help,
    json: values.json,
    quick: values.quick,
    isProfiling: values["cpu-prof"] !== undefined,
    rounds,
    peers,
    serverOfClients: pick("--server", [values.server], SERVERS_OF_CLIENTS)[0],
    scenarios: SCENARIOS.filter(({ name, side }) => scenarioNames.includes(name) && sides.includes(side)),
    timing: { warmUpMs: base.warmUpMs, measureMs: base.measureMs },
  };
}

function pick(flag, wanted, known) {
  for (const name of wanted ?? []) {
    if (!known.includes(name)) throw new Error(`${flag} ${name}: choose from ${known.join(", ")}`);
  }
  return wanted ?? known;
}

const say = (text) => process.stderr.write(text);

/** Starts each peer of a side once: one that cannot start is left out, and said so, before any time is spent. */
async function startablePeers(side, names) {
  const versions = {};
  for (const name of names.filter((name) => PEERS[side].includes(name))) {
    try {
      const peer = await PeerProcess.start(side === "client" ? `clients/${name}` : name);
      versions[name] = peer.ready.version;
      await peer.stop();
    } catch (error) {
      say(`\n!!! ${side} "${name}" does not start and is LEFT OUT of this run:\n${error.message}\n\n`);
    }
  }
  return versions;
}

/** Every round starts with another peer, so that none always runs on the machine another one has just heated. */
function rotated(items, by) {
  const shift = by % items.length;
  return [...items.slice(shift), ...items.slice(0, shift)];
}

async function compare(scenario, peers, { rounds, timing, serverOfClients }) {
  const samples = new Map(peers.map((peer) => [peer, []]));
  const roundCount = scenario.unit.startsWith("kB") ? Math.min(rounds, MAX_MEMORY_ROUNDS) : rounds;
  let failures = 0;
  for (let round = 0; round < roundCount; round++) {
    for (const peer of rotated(peers, round)) {
      try {
        const sample = await runScenario(scenario, peer, { timing, serverOfClients, profile: null });
        samples.get(peer).push(sample);
        say(`${scenario.name} round ${round + 1}/${roundCount} ${peer}: ${sample.value.toFixed(2)} ${scenario.unit}\n`);
      } catch (error) {
        failures++;
        say(`!!! ${scenario.name} round ${round + 1} ${peer} FAILED: ${error.message}\n`);
      }
    }
  }
  return { ...summarizeScenario(scenario, samples), failures };
}

async function profile(peer, { scenarios, timing, serverOfClients }) {
  for (const scenario of scenarios.filter(({ unit, side }) => unit.startsWith("us") && PEERS[side].includes(peer))) {
    const profiled = { file: join(tmpdir(), `${peer.replace("/", "-")}-${scenario.name}.cpuprofile`) };
    const { value } = await runScenario(scenario, peer, { timing, serverOfClients, profile: profiled });
    process.stdout.write(`\n${scenario.title}: ${value.toFixed(2)} ${scenario.unit} (with the profiler on)\n`);
    process.stdout.write(`${formatProfile(profiled.summary)}${profiled.file}\n`);
  }
}

/** @param {Record<string, Record<string, string>>} versions by side and peer */
function formatVersions(versions) {
  const sides = Object.entries(versions).map(([side, peers]) => {
    const names = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
    return `${side.replace(/s$/, "")}s: ${names.join(", ")}`;
  });
  return sides.join("; ");
}

function readOptionsOrExit() {
  try {
    return readOptions();
  } catch (error) {
    say(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function main() {
  const options = readOptionsOrExit();
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (options.isProfiling) {
    await profile(options.peers[0], options);
    return;
  }
  const versions = {};
  for (const side of new Set(options.scenarios.map((scenario) => scenario.side))) {
    versions[side] = await startablePeers(side, options.peers);
    if (Object.keys(versions[side]).length === 0) throw new Error(`no ${side} starts`);
  }
  const machine = `${availableParallelism()} x ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.version}, ${process.platform}`;
  const results = [];
  for (const scenario of options.scenarios) {
    const result = await compare(scenario, Object.keys(versions[scenario.side]), options);
    results.push(result);
    if (!options.json) process.stdout.write(`${formatScenario(result)}\n`);
  }
  if (options.json)
    process.stdout.write(`${JSON.stringify({ machine, versions, quick: options.quick, results }, null, 2)}\n`);
  else process.stdout.write(`${machine}; ${formatVersions(versions)}\n`);
  if (results.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

await main();
