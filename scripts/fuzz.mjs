// Fuzzing: hostile input for every entry point. Without arguments each target runs for 60 seconds.
//
//   node scripts/fuzz.mjs [--target NAME] [--seconds N] [--inputs N] [--seed N] [--save] [--replay FILE]
//
// --inputs   stop after so many inputs; --seconds is then no limit unless it is given
// --seed     default: the day, so that a failure can be repeated; the seed is printed
// --save     add the first input of each outcome that is not there yet to packages/*/fuzz/corpus/NAME.json, which
//            integration-tests/fuzz replays
// --replay   run the one input in this JSON file, as a failure prints it (with --target)
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = ["protocol", "engine", "server", "msgpack"];
/** Longer than any single input may take. */
const HANG_MS = 60_000;
/** Targets that run at the same time, where there are cores for them. */
const MAX_LANES = 2;
/** Of the thread that runs a target, all in all. */
const MAX_HEAP_MB = 512;

async function listTargets() {
  const targets = [];
  for (const owner of packages) {
    const folder = join(root, "packages", owner, "fuzz");
    for (const file of (await readdir(folder)).filter((name) => name.endsWith(".fuzz.ts"))) {
      const name = file.replace(".fuzz.ts", "");
      targets.push({ name, source: join(folder, file), corpus: join(folder, "corpus", `${name}.json`) });
    }
  }
  return targets;
}

/** Bundles a target with our sources; other packages stay imports, so the bundle lies where they are found. */
async function bundle({ name, source }, folder) {
  // Here, so that the threads need not load it.
  const { rolldown } = await import("rolldown");
  const alias = Object.fromEntries(
    packages.flatMap((owner) => [
      [`@plugboard/${owner}/internal`, join(root, "packages", owner, "src/internal.ts")],
      [`@plugboard/${owner}`, join(root, "packages", owner, "src/index.ts")],
    ]),
  );
  const entry = `export { target } from ${JSON.stringify(source)}; export * from "@plugboard/testkit/fuzz";`;
  const build = await rolldown({
    cwd: root,
    input: "fuzz-entry",
    platform: "node",
    tsconfig: false,
    external: (id) => !/^[./]|^@plugboard\/|^@msgpack\/|^fuzz-entry$/.test(id),
    resolve: { alias, extensionAlias: { ".js": [".ts"] } },
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "fuzz-entry" ? join(root, "scripts", "fuzz-entry.ts") : undefined),
        load: (id) => (id.endsWith("fuzz-entry.ts") ? entry : undefined),
      },
    ],
    // The test kit also has contract suites, which import the test runner.
    treeshake: { moduleSideEffects: [{ external: true, test: /^vitest$/, sideEffects: false }] },
  });
  const file = join(folder, `${name}.mjs`);
  await build.write({ file, format: "esm", codeSplitting: false, sourcemap: true });
  await build.close();
  return file;
}

/** Runs a target in a thread of its own: one that hangs or eats all memory can still be told which input did it. */
function runInThread(file, options) {
  return new Promise((resolve) => {
    const current = new SharedArrayBuffer(4);
    const index = new Int32Array(current);
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { file, options, current },
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    let last = -1;
    const watchdog = setInterval(() => {
      if (index[0] === last) finish({ failure: `hangs at input ${last} of seed ${options.seed}`, index: last });
      last = index[0];
    }, HANG_MS);
    const finish = (result) => {
      clearInterval(watchdog);
      resolve(result);
      void worker.terminate();
    };
    worker.on("message", finish);
    worker.on("error", (error) => finish({ failure: String(error?.stack ?? error), index: index[0] }));
    worker.on("exit", () => finish({ failure: "ended early", index: index[0] }));
  });
}

async function workerMain() {
  const { file, options, current } = workerData;
  const { target, fuzz, storeInput } = await import(pathToFileURL(file).href);
  const index = new Int32Array(current);
  try {
    const report = await fuzz(target, { ...options, onInput: (at) => (index[0] = at) });
    const outcomes = [...report.outcomes].map(([outcome, { count, input }]) => ({
      count,
      stored: storeInput(outcome, input),
    }));
    parentPort.postMessage({ ...report, outcomes });
  } catch (error) {
    const stored = error.input === undefined ? undefined : storeInput("failed", error.input);
    const cause = error.cause === undefined ? "" : `\n${error.cause?.stack ?? error.cause}`;
    parentPort.postMessage({ failure: `${error.stack ?? error}${cause}`, stored });
  }
}

async function printFailure(name, file, seed, { failure, index, stored }) {
  console.log(`FAIL  ${name}: ${failure}`);
  if (stored === undefined && index === undefined) return;
  const { target, inputAt, storeInput } = await import(pathToFileURL(file).href);
  const input = stored ?? storeInput("failed", inputAt(target, seed, index));
  console.log(`      the input, for --target ${name} --replay FILE:`);
  console.log(JSON.stringify({ target: name, seed, index, ...input }));
}

function printReport(name, seed, { inputs, seconds, heapGrowthBytes, outcomes, growth }) {
  const rate = Math.round(inputs / seconds);
  const heap = (heapGrowthBytes / 1024 / 1024).toFixed(1);
  const factors = growth.map(({ family, shortMs, longMs }) => ({ family, factor: longMs / Math.max(shortMs, 0.05) }));
  const steepest = factors.reduce((most, each) => (each.factor > most.factor ? each : most));
  console.log(
    `ok    ${name}: ${inputs} inputs of seed ${seed} in ${seconds.toFixed(1)} s (${rate}/s), ${outcomes.length} outcomes, ` +
      `heap ${heap} MiB, 64 x size costs at most ${steepest.factor.toFixed(0)} x (${steepest.family})`,
  );
}

async function saveOutcomes(corpus, outcomes) {
  const stored = await readFile(corpus, "utf8").then(JSON.parse, () => []);
  const known = new Set(stored.map(({ outcome }) => outcome));
  const fresh = outcomes.map(({ stored: input }) => input).filter(({ outcome }) => !known.has(outcome));
  if (fresh.length === 0) return;
  await writeFile(corpus, JSON.stringify([...stored, ...fresh], undefined, 2) + "\n");
  console.log(`      ${fresh.length} new outcomes saved`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      seconds: { type: "string" },
      inputs: { type: "string" },
      seed: { type: "string", default: String(Math.floor(Date.now() / 86_400_000)) },
      save: { type: "boolean", default: false },
      replay: { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  const inputs = Number(values.inputs ?? Infinity);
  const seconds = Number(values.seconds ?? (values.inputs === undefined ? 60 : Infinity));
  const seed = Number(values.seed);
  const targets = (await listTargets()).filter(({ name }) => values.target === undefined || name === values.target);
  if (targets.length === 0) throw new Error(`no target is called ${values.target}`);
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "plugboard-fuzz-"));
  let failed = 0;
  const runTarget = async (entry) => {
    const file = await bundle(entry, folder);
    if (values.replay !== undefined) {
      const { target, replay, loadInput } = await import(pathToFileURL(file).href);
      console.log(await replay(target, loadInput(JSON.parse(await readFile(values.replay, "utf8")))));
      return;
    }
    const result = await runInThread(file, { seed, inputs, seconds });
    if (result.failure === undefined) {
      printReport(entry.name, seed, result);
      if (values.verbose)
        for (const { count, stored } of result.outcomes) console.log(`      ${count} ${stored.outcome}`);
      if (values.save) await saveOutcomes(entry.corpus, result.outcomes);
    } else {
      failed++;
      await printFailure(entry.name, file, seed, result);
    }
  };
  try {
    const waiting = targets.values();
    const lane = async () => {
      for (const entry of waiting) await runTarget(entry);
    };
    await Promise.all(Array.from({ length: Math.min(MAX_LANES, availableParallelism()) }, lane));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

await (isMainThread ? main() : workerMain());
