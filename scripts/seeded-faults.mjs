/*
 * Shows that the tests of the specification prove something: breaks the sources in one place at a time and looks whether
 * the tests named for that place fail. Works on a copy; `node scripts/seeded-faults.mjs 12 client:75` does only the faults
 * of behaviour 12 of the server and 75 of the client, `server` and `client` all of one side, `client:7.3` a defect,
 * `fastify` those of `integration-tests/fastify/seeded-faults.json`, and so with every other folder that has such a file.
 * Exits with 1 when a test does not fail, or a fault no longer applies.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { root } from "./run.mjs";

/** Vitest ends a test that hangs; this is for vitest itself, which runs all of them at first, maybe on a busy machine. */
const RUN_TIMEOUT_MS = 600_000;

const readJson = async (path) => JSON.parse(await readFile(path, "utf8"));

/** What tests put beside what they have installed: packages and programs of the tree that they are in. */
const PUT_BY_TESTS = new Set(["@plugboard", ".apps", ".types"]);

/** A folder whose entries are those of another one, but for what tests put there: a fault is not to be found in the original. */
async function linkEntries(from, to) {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (!PUT_BY_TESTS.has(name)) await symlink(join(from, name), join(to, name));
  }
}

/** Sources and tests in a folder of their own. The packages find each other there, and all else where it is. */
async function copyTree(folder) {
  const copied = ["integration-tests", "packages", "scripts", "package.json", "tsconfig.base.json", "vitest.config.ts"];
  const isWanted = (path) => !["node_modules", "dist", "coverage"].includes(basename(path));
  for (const name of copied) await cp(join(root, name), join(folder, name), { recursive: true, filter: isWanted });
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@plugboard"), { recursive: true });
  for (const name of await readdir(join(root, "node_modules"))) {
    if (name === "@plugboard" || name.startsWith(".")) continue;
    await symlink(join(root, "node_modules", name), join(modules, name));
  }
  for (const name of await readdir(join(folder, "packages"))) {
    await symlink(join(folder, "packages", name), join(modules, "@plugboard", name));
    // What a package has for itself, in another version than the others.
    const own = join(root, "packages", name, "node_modules");
    if (existsSync(own)) await symlink(own, join(folder, "packages", name, "node_modules"));
  }
  // What tests have installed by a lock of their own.
  for (const test of await readdir(join(root, "integration-tests"))) {
    for (const name of await readdir(join(folder, "integration-tests", test)).catch(() => [])) {
      const installed = join("integration-tests", test, name, "node_modules");
      if (existsSync(join(root, installed))) await linkEntries(join(root, installed), join(folder, installed));
    }
  }
}

function start(command, cwd) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: RUN_TIMEOUT_MS });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/**
 * Runs some tests of the copy.
 * @param {{ built?: boolean }} options `built` when a test starts programs that use the build
 * @returns what became of each test ("passed", "failed", or undefined when it was not run), and of the run
 */
async function runTests(folder, tests, { built = false } = {}) {
  const files = [...new Set(tests.map((test) => test.slice(0, test.indexOf(" > "))))];
  // Vitest knows the full name of a test with spaces between its parts.
  const spaced = (test) => test.slice(test.indexOf(" > ") + 3).replaceAll(" > ", " ");
  const pattern = tests.map((test) => spaced(test).replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join("|");
  const report = join(folder, "report.json");
  await rm(report, { force: true });
  const where = ["--root", folder, "--config", built ? "vitest.config.ts" : "scripts/sources.vitest.config.mjs"];
  const reporters = ["--reporter", "dot", "--reporter", "json", "--outputFile.json", report];
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const which = ["--testNamePattern", `(?:${pattern})$`, ...files];
  const { code, output } = await start([vitest, "run", ...where, ...reporters, ...which], folder);
  const { testResults = [] } = await readJson(report).catch(() => ({}));
  const found = new Map();
  for (const { name, assertionResults } of testResults) {
    for (const { fullName, status } of assertionResults)
      found.set(`${name.slice(folder.length + 1)} ${fullName}`, status);
  }
  const states = tests.map((test) => found.get(`${test.slice(0, test.indexOf(" > "))} ${spaced(test)}`));
  return { states, hasUnhandledError: code !== 0 && /Unhandled (Errors|Rejection)/.test(output), output };
}

async function runAlone(folder, test, built) {
  const { states, hasUnhandledError } = await runTests(folder, [test], { built });
  return states[0] === "failed" || hasUnhandledError ? [] : [`${states[0] ?? "not run"}: ${test}`];
}

/** @returns what is amiss with a fault, one line for each test */
async function seed(folder, { file, find, replace, built }, tests) {
  const path = join(folder, file);
  const text = await readFile(path, "utf8");
  if (text.split(find).length !== 2) return ["does not apply"];
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
  try {
    const { states, hasUnhandledError } = await runTests(folder, tests, { built });
    const amiss = tests.flatMap((test, at) =>
      states[at] === "failed" ? [] : [{ test, state: states[at] ?? "not run" }],
    );
    if (!hasUnhandledError || amiss.length === 0) return amiss.map(({ test, state }) => `${state}: ${test}`);
    // An exception that nobody caught fails a run, and no test of it in particular: each has to bring it about alone.
    const alone = [];
    for (const { test } of amiss) alone.push(...(await runAlone(folder, test, built)));
    return alone;
  } finally {
    await writeFile(path, text);
  }
}

/** @returns the tests of each behaviour, by what the list of faults calls it: `12`, `client:12`, `client:7.12` */
async function readCoverage() {
  const { behaviours, client } = await readJson(join(root, "integration-tests/spec/coverage.json"));
  const named = (list, prefix) => list.map(({ number, tests }) => [`${prefix}${number}`, tests]);
  return new Map([
    ...named(behaviours, ""),
    ...named(client.behaviours, "client:"),
    ...named(client.defects, "client:7."),
  ]);
}

/** @returns those of the specification, and of each folder, whose name stands for what they break */
async function readFaults() {
  const all = [];
  for (const name of await readdir(join(root, "integration-tests"))) {
    const file = join(root, "integration-tests", name, "seeded-faults.json");
    const faults = existsSync(file) ? await readJson(file) : [];
    all.push(...faults.map((fault) => ({ ...fault, behaviour: String(fault.behaviour ?? name) })));
  }
  return all;
}

async function main(wanted) {
  const covering = await readCoverage();
  const sideOf = (name) => (/^\d/.test(name) ? "server" : name.split(":", 1)[0]);
  const faults = (await readFaults()).filter(
    ({ behaviour }) => wanted.length === 0 || wanted.includes(behaviour) || wanted.includes(sideOf(behaviour)),
  );
  const testsOf = ({ behaviour, tests }) => tests ?? covering.get(behaviour);
  const folder = await mkdtemp(join(tmpdir(), "plugboard-faults-"));
  let broken = [];
  let survivors = 0;
  try {
    await copyTree(folder);
    const all = [...new Set(faults.flatMap(testsOf))];
    const { states, output } = await runTests(folder, all, { built: true });
    broken = all.filter((_, index) => states[index] !== "passed");
    if (broken.length > 0) console.log(`Without any fault these do not pass:\n${broken.join("\n")}\n${output}`);
    for (const fault of faults) {
      const amiss = await seed(folder, fault, testsOf(fault));
      if (amiss.length > 0) survivors++;
      console.log(
        `${amiss.length > 0 ? "FAIL" : "ok  "}  ${fault.behaviour}  ${fault.file}  ${fault.find.trim().split("\n")[0]}`,
      );
      for (const line of amiss) console.log(`        ${line}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${faults.length - survivors} of ${faults.length} faults are noticed by all tests named for them.`);
  return survivors + broken.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
