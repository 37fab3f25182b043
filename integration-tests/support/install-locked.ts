import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long an installation may take; whoever took longer was interrupted, in milliseconds. */
const TIMEOUT_MS = 240_000;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * Installs what the `package-lock.json` of a folder names, unless just that is there already. No install script runs.
 * Tests in several processes may ask for the same folder: one of them installs, the others wait.
 */
export async function installLocked(folder: string): Promise<void> {
  const stamp = join(folder, "node_modules", ".installed-lock");
  const lock = hash(await readFile(join(folder, "package-lock.json"), "utf8"));
  await alone(hash(folder), async () => {
    const installed = await readFile(stamp, "utf8").catch(() => undefined);
    if (installed === lock) return;
    const env = { ...process.env, npm_config_loglevel: "error" };
    await run("npm", ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder, env });
    await writeFile(stamp, lock);
  });
}

/** Runs while no other process runs what has the same name. */
async function alone(name: string, action: () => Promise<void>): Promise<void> {
  const mark = join(tmpdir(), `plugboard-${name}`);
  while (!(await isMine(mark))) await delay(200);
  try {
    await action();
  } finally {
    await rm(mark, { recursive: true, force: true });
  }
}

async function isMine(mark: string): Promise<boolean> {
  try {
    await mkdir(mark);
    return true;
  } catch {
    const since = await stat(mark).catch(() => undefined);
    if (since !== undefined && Date.now() - since.mtimeMs > TIMEOUT_MS)
      await rm(mark, { recursive: true, force: true });
    return false;
  }
}
