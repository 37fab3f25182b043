import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { coverage } from "./coverage.js";
import seededFaults from "./seeded-faults.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The prefix is what the seeded faults put before the numbers of a list. */
const lists = [
  { title: "section 4", prefix: "", entries: coverage.behaviours, count: 100 },
  { title: "section 6 of the client", prefix: "client:", entries: coverage.client.behaviours, count: 86 },
  { title: "section 7 of the client", prefix: "client:7.", entries: coverage.client.defects, count: 20 },
];
const behaviourTests = lists.flatMap(({ entries }) => entries.flatMap(({ tests = [] }) => tests));
const allTests = [...behaviourTests, ...coverage.publicByContract.map(({ test }) => test)];
const fileOf = (test: string): string => test.slice(0, test.indexOf(" > "));
const coveredFiles = [...new Set(allTests.map(fileOf))];

/** Sections that later work brings; what waits for anything else is missing. */
const LATER = new Set(["1.20", "1.21", "2.8", "3.10"]);

interface NamedFault {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Those of the specification, and those that other folders have. */
async function readFaults(): Promise<NamedFault[]> {
  const all: NamedFault[] = [];
  for (const folder of await readdir(join(root, "integration-tests"))) {
    const text = await readFile(join(root, "integration-tests", folder, "seeded-faults.json"), "utf8").catch(
      () => "[]",
    );
    const faults = JSON.parse(text) as (Omit<NamedFault, "name"> & { behaviour?: unknown })[];
    all.push(...faults.map((fault) => ({ ...fault, name: String(fault.behaviour ?? folder) })));
  }
  return all;
}

function doubled(ids: readonly unknown[]): unknown[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

/** Names of the tests that vitest would run, skipped ones left out. A child process: vitest cannot hold another vitest. */
async function listTests(files: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "plugboard-spec-"));
  const output = join(folder, "tests.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const config = join(root, "scripts/sources.vitest.config.mjs");
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  try {
    const list = [
      "list",
      "--root",
      root,
      "--config",
      config,
      `--json=${output}`,
      "--no-isolate",
      "--maxWorkers=1",
      ...files,
    ];
    await promisify(execFile)(process.execPath, [vitest, ...list], { cwd: root, env });
    const listed = JSON.parse(await readFile(output, "utf8")) as { file: string; name: string }[];
    return listed.map(({ file, name }) => `${file.slice(root.length)} > ${name}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("the coverage of the specification", () => {
  it.each(lists)("has one entry for each number of $title, with tests or the section it waits for", (list) => {
    expect(list.entries.map(({ number }) => number)).toEqual(Array.from({ length: list.count }, (_, at) => at + 1));
    for (const { number, tests, later } of list.entries) {
      if (later === undefined) expect(tests ?? [], `tests of ${number}`).not.toEqual([]);
      else expect([tests, LATER.has(later)], `what ${number} waits for`).toEqual([undefined, true]);
    }
  });

  it("names no test and no class twice", () => {
    expect(doubled(allTests)).toEqual([]);
    expect(doubled(coverage.publicByContract.map((entry) => entry.class))).toEqual([]);
  });

  it("names tests that are there and are run, each name for one test", { timeout: 180_000 }, async () => {
    const listed = await listTests(coveredFiles);

    const times = (test: string): number => listed.filter((name) => name === test).length;
    expect(allTests.filter((test) => times(test) !== 1)).toEqual([]);
  });

  it("names tests in files that skip none at run time", async () => {
    const skipping: string[] = [];
    for (const file of coveredFiles) {
      const text = await readFile(join(root, file), "utf8");
      if (/\.(skip|skipIf|runIf|todo|fails)\b|\bskip\(/.test(text)) skipping.push(file);
    }
    expect(skipping).toEqual([]);
  });
});

describe("the seeded faults", () => {
  it("are there for each test of each behaviour", () => {
    const covering = new Map<string, readonly string[]>(
      lists.flatMap(({ prefix, entries }) =>
        entries.map(({ number, tests = [] }) => [`${prefix}${number}`, tests] as const),
      ),
    );
    const broken = new Set<string>();
    for (const { behaviour, tests } of seededFaults as { behaviour: number | string; tests?: string[] }[]) {
      const named = covering.get(String(behaviour)) ?? [];
      for (const test of tests ?? named) {
        expect(named, `the tests of ${behaviour}`).toContain(test);
        broken.add(test);
      }
    }
    expect(behaviourTests.filter((test) => !broken.has(test))).toEqual([]);
  });

  it("still apply: what they replace is in its file, once", async () => {
    const amiss: string[] = [];
    for (const { name, file, find, replace } of await readFaults()) {
      const text = await readFile(join(root, file), "utf8");
      if (text.split(find).length !== 2 || find === replace) amiss.push(`${name}: ${find}`);
    }
    expect(amiss).toEqual([]);
  });
});
