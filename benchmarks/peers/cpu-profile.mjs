import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";

const SAMPLING_INTERVAL_US = 200;

/**
 * Samples this process until the returned function is called, which writes a `.cpuprofile` (open it in a browser's developer
 * tools) and returns the self time by function and by package.
 *
 * @returns {Promise<(file: string) => Promise<ProfileSummary>>}
 *
 * @typedef {{ name: string, share: number }} ProfileShare share is of the time that was not idle, 0 to 1
 * @typedef {{ byPackage: ProfileShare[], byFunction: ProfileShare[] }} ProfileSummary
 */
export async function startCpuProfile() {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL_US });
  await session.post("Profiler.start");
  return async (file) => {
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    await writeFile(file, JSON.stringify(profile));
    return summarize(profile);
  };
}

function summarize({ nodes, samples }) {
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const byPackage = new Map();
  const byFunction = new Map();
  let busySamples = 0;
  for (const id of samples) {
    const frame = frames.get(id);
    if (frame.functionName === "(idle)") continue;
    busySamples++;
    const owner = ownerOf(frame);
    count(byPackage, owner);
    const line = frame.url === "" ? "" : `:${frame.lineNumber + 1}`;
    count(byFunction, `${frame.functionName || "(anonymous)"}  ${owner}${line}`);
  }
  return { byPackage: shares(byPackage, busySamples), byFunction: shares(byFunction, busySamples) };
}

function count(map, key) {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function shares(counts, total) {
  return [...counts].map(([name, hits]) => ({ name, share: hits / total })).sort((a, b) => b.share - a.share);
}

/** The package, and where it helps the file, that a call frame belongs to. */
function ownerOf({ url, functionName }) {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  if (url.startsWith("node:")) return url;
  const path = decodeURIComponent(url);
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)/.exec(path);
  if (installed !== null) return `${installed[1]}/${installed[2]}`;
  return path.split("/").slice(-3).join("/");
}
