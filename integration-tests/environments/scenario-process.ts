import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { clientPackage } from "./client-files.js";
import type { Environment } from "./describe-scenarios.js";
import { bundle } from "./scenario-bundle.js";

/** Not git's business; inside of the repository, so that the client is found by its name. */
const scratch = fileURLToPath(new URL("./dist/", import.meta.url));

/** How long a process may take to end once it has nothing to do. */
const EXIT_TIMEOUT_MS = 15_000;

interface Outcome {
  readonly id: number;
  readonly error?: string;
}

/** Starts a process that runs scenarios with the client as an installed package. */
export async function startScenarioProcess(
  command: (file: string) => Promise<readonly string[]>,
): Promise<Environment> {
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, "process-"));
  const file = join(folder, "scenarios.mjs");
  await writeFile(file, await bundle("./fixtures/scenario-process.ts", "esm"));
  const [executable, ...args] = await command(file);
  const child = spawn(executable as string, [...args, clientPackage], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const pending = new Map<number, (outcome: Outcome) => void>();
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    const outcome = JSON.parse(line) as Outcome;
    pending.get(outcome.id)?.(outcome);
    pending.delete(outcome.id);
  });
  void ended.then(([code]) => {
    for (const [id, finish] of pending) finish({ id, error: `the process has ended with ${code}` });
  });
  let lastId = 0;
  return {
    atOnce: 4,
    async run(scenario) {
      const id = ++lastId;
      const { error } = await new Promise<Outcome>((resolve) => {
        pending.set(id, resolve);
        child.stdin.write(JSON.stringify({ id, ...scenario }) + "\n");
      });
      if (error !== undefined) throw new Error(error);
    },
    async close() {
      child.stdin.end();
      const guard = setTimeout(() => child.kill("SIGKILL"), EXIT_TIMEOUT_MS);
      const [, signal] = await ended;
      clearTimeout(guard);
      await rm(folder, { recursive: true });
      if (signal === "SIGKILL") throw new Error("something keeps the process although every socket is disconnected");
    },
  };
}
