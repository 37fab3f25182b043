// What `npm run check` consists of: commands whose output is worth reading only when they fail.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program, root, run } from "./run.mjs";

const sourceSteps = [
  { name: "format", command: program("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".") },
  { name: "lint, import circles, layer walls", command: program("oxlint/bin/oxlint", "--deny-warnings") },
  { name: "types", command: program("typescript/bin/tsc", "-b") },
  { name: "type tests", command: program("tstyche/build/bin.js"), count: countTypeTests },
  { name: "unused files, exports and dependencies", command: program("knip/bin/knip.js", "--no-progress") },
  { name: "build", command: [process.execPath, join(root, "scripts/build.mjs")] },
  { name: "sizes of the client", command: [process.execPath, join(root, "scripts/client-sizes.mjs")], show: true },
  {
    name: "type tests of the build",
    command: program("tstyche/build/bin.js", "--config", "tstyche.built.config.json"),
    count: countTypeTests,
  },
];

/** Resolution without `exports` (TypeScript's "node10") cannot see a second door, so nobody uses one that way. */
const FURTHER_DOORS = {
  "@plugboard/engine": ["./internal"],
  "@plugboard/client": ["./websocket", "./debug"],
  "@plugboard/auth": ["./client"],
  "@plugboard/nestjs": ["./throttler"],
};

/** The packages are looked at as users get them, packed: so a file forgotten in `files` is noticed. */
function tarballSteps(name, path) {
  const attw = (entry, profile) =>
    program("@arethetypeswrong/cli/dist/index.js", path, "--entrypoints", entry, "--profile", profile, "--no-emoji");
  const steps = [
    { name: `publint ${name}`, command: program("publint/src/cli.js", "run", path, "--strict") },
    { name: `types of ${name} under every resolver`, command: attw(".", "strict") },
  ];
  for (const door of FURTHER_DOORS[name] ?? []) {
    steps.push({ name: `types of ${name}${door.slice(1)}`, command: attw(door, "node16") });
  }
  return steps;
}

/** "Tests: 1 failed, 12 passed, 13 total" counts as 13 tests; without such a line the step is one test. */
function countTypeTests(output) {
  const line = /^Tests:(.*)$/m.exec(output)?.[1];
  if (line === undefined) return undefined;
  const number = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("skipped") + number("todo") };
}

/** @param step `show` prints what the command says also when all is well */
async function runStep({ name, command, count, show = false }) {
  const start = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok  " : "FAIL"}  ${name} (${seconds} s)`);
  if (code !== 0 || show) console.log(output.trimEnd().replaceAll(/^/gm, "      "));
  const counts = count?.(output) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

/**
 * Runs every step, also after one has failed, and says on stdout how each went.
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} each step counts as one test
 */
export async function runChecks() {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const runSteps = async (steps) => {
    for (const step of steps) {
      const counts = await runStep(step);
      for (const key of Object.keys(total)) total[key] += counts[key];
    }
  };
  const folder = await mkdtemp(join(tmpdir(), "plugboard-check-"));
  try {
    await runSteps(sourceSteps);
    const names = [
      "protocol",
      "engine",
      "contract",
      "server",
      "msgpack",
      "client",
      "session",
      "auth",
      "rate-limit",
      "testing",
      "fastify",
      "express",
      "nestjs",
    ];
    const packages = names.map((name) => `./packages/${name}`);
    await runSteps([{ name: "pack", command: ["npm", "pack", "--pack-destination", folder, ...packages] }]);
    for (const file of await readdir(folder)) {
      const name = file.replace("plugboard-", "@plugboard/").replace(/-\d.*$/, "");
      await runSteps(tarballSteps(name, join(folder, file)));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return total;
}
