import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installLocked } from "../support/install-locked.js";

const folder = fileURLToPath(new URL("./runtimes/", import.meta.url));

/** A JavaScript runtime that is no Node, and how it runs a file. */
export interface Runtime {
  readonly name: string;
  command(file: string): Promise<readonly string[]>;
}

/** The executable for this machine. Downloads 80 MB the first time. */
async function installed(scope: string, path: string): Promise<string> {
  await installLocked(folder);
  const packages = join(folder, "node_modules", scope);
  const [forThisMachine] = await readdir(packages);
  const extension = process.platform === "win32" ? ".exe" : "";
  return join(packages, forThisMachine as string, path + extension);
}

export const bun: Runtime = {
  name: "Bun",
  command: async (file) => [await installed("@oven", "bin/bun"), "run", file],
};

export const deno: Runtime = {
  name: "Deno",
  command: async (file) => [
    await installed("@deno", "deno"),
    "run",
    // What a program with the client needs, and for what the tests load by name.
    "--allow-net",
    "--allow-env",
    "--allow-read",
    "--no-prompt",
    "--quiet",
    "--no-lock",
    "--node-modules-dir=manual",
    file,
  ],
};
