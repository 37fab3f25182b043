import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

/** An example that serves, running as its own process until the running test finishes. */
export interface ExampleProcess {
  /** Where it says that it listens. */
  readonly url: string;
  /** Sends the signal and resolves with how the process ended: its exit code, or the name of the signal. */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | string>;
}

/**
 * Starts a program of `examples/` and waits until it has printed the URL where it listens.
 *
 * @param file - path in `examples/`
 * @param port - default: any that is free
 */
export async function startExample(
  file: string,
  { port = 0, env = {} }: { port?: number; env?: Record<string, string> } = {},
): Promise<ExampleProcess> {
  const child = spawn(process.execPath, [examples + file], {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(([code, signal]: (number | string | null)[]) => code ?? signal ?? "?");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const found = /http:\/\/\S+:\d+/.exec(output)?.[0];
      if (found !== undefined) resolve(found);
    });
    void ended.then((code) => reject(new Error(`${file} ended with ${code}: ${output}`)));
  });
  return {
    url,
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}
