import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../examples/demo/server.js", import.meta.url));

/** The demo, running as its own process. */
export interface DemoProcess {
  readonly port: number;
  /** What it printed when it was ready. */
  readonly greeting: string;
  /** Sends the signal and resolves to how the process ended: its exit code, or the name of the signal. */
  stop(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<number | string>;
}

interface Failure {
  readonly code: number | string;
  readonly stderr: string;
}

/** Starts the demo; rejects with a `Failure` as `cause` when it ends before it is ready. */
export async function startDemo(port: number): Promise<DemoProcess> {
  const child = spawn(process.execPath, [script], { env: { ...process.env, PORT: String(port) } });
  const exited = once(child, "close").then(([code, signal]: Array<number | string | null>) => code ?? signal ?? "?");
  let greeting = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const url = await new Promise<URL>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      greeting += text;
      const found = /Open (\S+) [^]*\n\n$/.exec(greeting)?.[1];
      if (found !== undefined) resolve(new URL(found));
    });
    void exited.then((code) => {
      const cause: Failure = { code, stderr };
      reject(new Error(`the demo ended with ${code}: ${stderr}`, { cause }));
    });
  });
  return {
    port: Number(url.port),
    greeting,
    stop: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
