/*
 * Samples in, rows and text out. Medians, because one sample in five that met a neighbour's burst must not move the result;
 * min..max beside them, because a reader must see how much that happened.
 */

/** The peer that all are compared with. */
const REFERENCES = {
  server: "socket.io",
  client: "socket.io-client",
  handlers: "plugboard",
  frameworks: "plugboard",
  nestjs: "nestjs/socket.io",
};
const BARE = "ws";
/** The peer whose goal it is. */
const OURS = {
  server: "plugboard",
  client: "plugboard",
  handlers: "plugboard-contract",
  frameworks: "plugboard-fastify",
  nestjs: "nestjs/plugboard",
};
/** Above this share of the machine, what else runs there shows in the numbers: two hyperthreads share one core. */
const NOISY_OTHERS_SHARE = 0.1;

/** @param {number[]} values at least one */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {import("./scenarios/index.mjs").Scenario} scenario
 * @param {Map<string, Record<string, number>[]>} samplesByPeer
 */
export function summarizeScenario({ name, title, side, unit, goalRatio }, samplesByPeer) {
  const peers = [...samplesByPeer].filter(([, samples]) => samples.length > 0);
  const rows = peers.map(([peer, samples]) => {
    const fields = Object.keys(samples[0]).map((field) => [field, median(samples.map((sample) => sample[field]))]);
    const values = samples.map((sample) => sample.value);
    return {
      peer,
      ...Object.fromEntries(fields),
      min: Math.min(...values),
      max: Math.max(...values),
      samples: samples.length,
    };
  });
  const valueOf = (peer) => rows.find((row) => row.peer === peer)?.value;
  for (const row of rows) {
    row.ratioToSocketIo = ratio(row.value, valueOf(REFERENCES[side]));
    row.ratioToWs = ratio(row.value, valueOf(BARE));
  }
  return { scenario: name, title, side, unit, goalRatio, rows };
}

function ratio(value, base) {
  return base === undefined ? null : value / base;
}

/** @param {ReturnType<typeof summarizeScenario>} summary */
export function formatScenario({ title, side, unit, goalRatio, rows }) {
  const isMemory = unit.startsWith("kB");
  const extraHeads = isMemory
    ? ["heap", "external", "RSS"]
    : ["messages/s", `${side} CPU`, "in kernel", "per turn", "others"];
  const heads = ["peer", unit, "min..max", `vs ${REFERENCES[side]}`, "vs ws", ...extraHeads];
  const lines = rows.map((row) => [
    row.peer,
    row.value.toFixed(2),
    `${row.min.toFixed(2)}..${row.max.toFixed(2)}`,
    formatRatio(row.ratioToSocketIo),
    formatRatio(row.ratioToWs),
    ...(isMemory
      ? [row.heap.toFixed(2), row.external.toFixed(2), row.rss.toFixed(2)]
      : [
          Math.round(row.perSecond).toLocaleString("en"),
          percent(row.cpuShare),
          percent(row.systemShare),
          row.messagesPerTurn.toFixed(1),
          percent(row.othersShare),
        ]),
  ]);
  return `\n${title}\n${formatTable([heads, ...lines])}${formatGoal(rows, side, goalRatio)}${formatNoise(rows)}`;
}

function formatGoal(rows, side, goalRatio) {
  const achieved = rows.find((row) => row.peer === OURS[side])?.ratioToSocketIo ?? null;
  if (achieved === null || goalRatio === undefined) return "";
  const verdict = achieved <= goalRatio ? "met" : "MISSED";
  return `goal: at most ${goalRatio.toFixed(2)} of ${REFERENCES[side]}: ${verdict} (${achieved.toFixed(2)})\n`;
}

function formatNoise(rows) {
  const isNoisy = rows.some((row) => row.othersShare > NOISY_OTHERS_SHARE);
  return isNoisy ? "NOISY: other programs used the machine meanwhile; run again when it is quiet\n" : "";
}

const formatRatio = (value) => (value === null ? "-" : `${value.toFixed(2)}x`);
const percent = (share) => `${Math.round(share * 100)}%`;

/** First column to the left, all others to the right. */
function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]));
  return rows.map((row) => `  ${row.map(pad).join("  ")}\n`).join("");
}

/** @param {import("./peers/cpu-profile.mjs").ProfileSummary} summary */
export function formatProfile({ byPackage, byFunction }) {
  const list = (shares, count) =>
    shares.slice(0, count).map(({ name, share }) => `  ${(share * 100).toFixed(1).padStart(5)}%  ${name}\n`);
  return ["self time by file\n", ...list(byPackage, 15), "self time by function\n", ...list(byFunction, 30)].join("");
}
