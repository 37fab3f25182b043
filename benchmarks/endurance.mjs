import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PeerProcess } from "./peer-process.mjs";

/*
 * Many websocket connections to one server process that have to stay up: heartbeats, an acknowledged event of each
 * connection now and then, a broadcast every few seconds. Nothing may get lost: no connection, no answer, no broadcast.
 */

const USAGE = `ulimit -n 65536; node benchmarks/endurance.mjs [options]
  --connections N   default 20000; one process needs as many file descriptors, and a few more
  --minutes N       default 5
  --processes N     that generate the load, each from an address of its own (default 2)
`;
const EVENT_EVERY_MS = 30_000;
const BROADCAST_EVERY_MS = 5_000;
const SAMPLE_EVERY_MS = 10_000;
const LAST_ANSWERS_MS = 30_000;
/** Listening socket, pipes, event loop. */
const OTHER_DESCRIPTORS = 50;

function readOptions() {
  const { values } = parseArgs({
    options: {
      connections: { type: "string", default: "20000" },
      minutes: { type: "string", default: "5" },
      processes: { type: "string", default: "2" },
      help: { type: "boolean", default: false },
    },
  });
  const [connections, minutes, processes] = [values.connections, values.minutes, values.processes].map(Number);
  return { connections, minutes, processes, help: values.help };
}

function checkDescriptors(connections) {
  const { soft } = process.report.getReport().userLimits.open_files;
  if (soft === "unlimited" || soft >= connections + OTHER_DESCRIPTORS) return;
  throw new Error(`${soft} file descriptors per process do not do for ${connections} connections: raise "ulimit -n"`);
}

/** A process of `load/endurance-clients.mjs` and its control channel. */
async function startClients(settings) {
  const script = fileURLToPath(new URL("./load/endurance-clients.mjs", import.meta.url));
  const child = fork(script, [JSON.stringify(settings)]);
  const pending = new Map();
  let lastId = 0;
  await new Promise((resolve, reject) => {
    child.on("message", (message) => {
      if (message.ready) resolve();
      else pending.get(message.id)?.(message);
    });
    child.once("exit", (code) => reject(new Error(`the load generator exited with ${code}`)));
  });
  return {
    ask(command, broadcasts) {
      const id = ++lastId;
      return new Promise((resolve) => {
        pending.set(id, resolve);
        child.send({ id, command, broadcasts });
      });
    },
    stop: () => child.kill("SIGKILL"),
  };
}

const add = (list, key) => list.reduce((sum, item) => sum + item[key], 0);
const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
const say = (text) => process.stdout.write(`${text}\n`);

/** The run itself: begins when all connections are open, and ends when everything is answered. */
class Endurance {
  broadcasts = 0;
  peakRss = 0;
  #server;
  #clients;
  #startedAt = performance.now();
  #lastCpuMs = undefined;
  #lastSampleAt = 0;

  constructor(server, clients) {
    this.#server = server;
    this.#clients = clients;
  }

  ask(command) {
    return Promise.all(this.#clients.map((process) => process.ask(command, this.broadcasts)));
  }

  broadcast() {
    this.broadcasts++;
    this.#server.tell("broadcast", { times: 1 });
  }

  async sample() {
    const [server, clients] = [await this.#server.ask("usage"), await this.ask("look")];
    const now = performance.now();
    const cpuMs = (server.cpu.user + server.cpu.system) / 1000;
    const cpu = this.#lastCpuMs === undefined ? 0 : (cpuMs - this.#lastCpuMs) / (now - this.#lastSampleAt);
    [this.#lastCpuMs, this.#lastSampleAt] = [cpuMs, now];
    this.peakRss = Math.max(this.peakRss, server.rss);
    say(
      [
        `${((now - this.#startedAt) / 1000).toFixed(0)} s`.padStart(6),
        `${server.connections} connections, ${add(clients, "lost")} lost`,
        `${server.heartbeats} heartbeats`,
        `${add(clients, "sent")} events`,
        `${this.broadcasts} broadcasts`,
        `${add(clients, "received")} messages received`,
        `RSS ${megabytes(server.rss)}, heap ${megabytes(server.heapUsed)}`,
        `CPU ${(cpu * 100).toFixed(0)}%`,
      ].join("  "),
    );
    return { server, clients };
  }

  async run(minutes) {
    await this.sample();
    await this.ask("begin");
    const end = performance.now() + minutes * 60_000;
    const [broadcasting, sampling] = [
      setInterval(() => this.broadcast(), BROADCAST_EVERY_MS),
      setInterval(() => this.sample(), SAMPLE_EVERY_MS),
    ];
    await sleep(end - performance.now());
    clearInterval(broadcasting);
    clearInterval(sampling);
    await this.ask("end");
  }

  /** Waits until every connection has got every answer and broadcast, and gives up some time. */
  async settle() {
    const deadline = performance.now() + LAST_ANSWERS_MS;
    for (;;) {
      const clients = await this.ask("look");
      if (add(clients, "incomplete") === 0 || performance.now() > deadline) return this.sample();
      await sleep(100);
    }
  }
}

async function main() {
  const { connections, minutes, processes, help } = readOptions();
  if (help) return say(USAGE);
  checkDescriptors(connections);
  const server = await PeerProcess.start("plugboard-endurance");
  const clients = [];
  try {
    const { port, dialect } = server.ready;
    const shares = Array.from({ length: processes }, (_, index) => ({
      port,
      dialect,
      eventEveryMs: EVENT_EVERY_MS,
      localAddress: `127.0.0.${index + 2}`,
      count: Math.floor((connections + index) / processes),
    }));
    const openedAt = performance.now();
    clients.push(...(await Promise.all(shares.map(startClients))));
    say(`${connections} connections opened in ${((performance.now() - openedAt) / 1000).toFixed(1)} s`);
    const endurance = new Endurance(server, clients);
    await endurance.run(minutes);
    const last = await endurance.settle();
    const [lost, incomplete] = [add(last.clients, "lost"), add(last.clients, "incomplete")];
    const isWhole = lost === 0 && incomplete === 0 && last.server.connections === connections;
    say(
      `${connections - lost} of ${connections} connections stayed up for ${minutes} minutes; ` +
        `${add(last.clients, "sent")} events and ${endurance.broadcasts} broadcasts, ` +
        `with an answer or broadcast missing on ${incomplete} connections; peak RSS ${megabytes(endurance.peakRss)}`,
    );
    if (lost > 0) say(`first loss: ${last.clients.find(({ firstLoss }) => firstLoss !== undefined)?.firstLoss}`);
    say(`disconnections by reason, as the server saw them: ${JSON.stringify(last.server.disconnections)}`);
    if (!isWhole) process.exitCode = 1;
  } finally {
    for (const process of clients) process.stop();
    await server.stop();
  }
}

await main();
