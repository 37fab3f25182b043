import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Programs are started by file: several packages may fight for one name in `.bin`, and `npx` costs half a second. */
export const program = (path, ...args) => [process.execPath, join(root, "node_modules", path), ...args];

/**
 * Runs a command without input. Resolves, never rejects.
 * @param {string[]} command the file and its arguments
 * @param {{ show?: boolean }} options `show` lets the output through to the terminal instead of collecting it
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run([file, ...args], { show = false } = {}) {
  return new Promise((resolve) => {
    const stdio = show ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"];
    // A parent `npm --silent` would silence the npm commands whose output we read, through the environment.
    const env = { ...process.env, npm_config_loglevel: "warn", ...(show ? {} : { NO_COLOR: "1" }) };
    const child = spawn(file, args, { cwd: root, stdio, env });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ code: 1, output: String(error) }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
