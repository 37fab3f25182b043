// Everything that must pass: the checks, then unit and integration tests. The last line is the count of the whole run.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./check-steps.mjs";
import { provision } from "./provision.mjs";
import { program, root, run } from "./run.mjs";

/** Vitest's JSON report says nothing about files that fail to load and errors outside of tests: each run with such an
 * error has at least one failure. */
function countReport(report, code) {
  const files = report?.testResults ?? [];
  const broken = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const counts = {
    passed: report?.numPassedTests ?? 0,
    failed: (report?.numFailedTests ?? 0) + broken.length,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

async function runTests() {
  const folder = await mkdtemp(join(tmpdir(), "plugboard-test-"));
  try {
    const file = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const { code } = await run(program("vitest/vitest.mjs", "run", ...reporters), { show: true });
    const report = await readFile(file, "utf8").then(JSON.parse, () => undefined);
    return countReport(report, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A minute for each target, so in CI only; all targets together count as one test. */
async function runFuzz() {
  const { code } = await run([process.execPath, join(root, "scripts/fuzz.mjs"), "--seconds", "60"], { show: true });
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

await provision();
const parts = [await runChecks(), await runTests()];
if (process.env.CI) parts.push(await runFuzz());
const sum = (key) => parts.reduce((total, counts) => total + counts[key], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") === 0 ? 0 : 1;
