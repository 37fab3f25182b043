import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installLocked } from "../support/install-locked.js";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** The packages that bring Node are there for these machines alone. */
export const isServedPlatform: boolean = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);

/**
 * Versions of Node that programs have to run on, besides the one at hand: the oldest we support and each later line.
 * `line` names the package in `package.json`.
 */
export const nodeLines = [
  { line: "20.19", version: "v20.19.0" },
  { line: "22", version: "v22.23.3" },
  { line: "24", version: "v24.21.0" },
] as const;

/** Path of the executable of a line. */
export function nodeOf(line: string): string {
  return join(folder, "node_modules", `node-${line}-${process.platform}-${process.arch}`, "bin", "node");
}

export const jest: string = join(folder, "node_modules/jest/bin/jest.js");

/** Installs what `package-lock.json` names, unless just that is there already. Downloads 160 MB the first time. */
export function installRuntimes(): Promise<void> {
  return installLocked(folder);
}
