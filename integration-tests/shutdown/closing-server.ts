import { fork } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { CloseOptions, ServerOptions } from "@plugboard/server";

const script = fileURLToPath(new URL("./fixtures/closing-server.mjs", import.meta.url));

/** How long a process may take to exit. The slowest of our own deadlines, which must not hold it up, is 25 seconds. */
const EXIT_GUARD_MS = 15_000;

export interface ServerSetup {
  /** One of the fixture's. */
  readonly setup?: string;
  readonly options?: Partial<ServerOptions>;
  readonly target?: "http server" | "port";
}

/** How a process ended. */
export interface Exit {
  /** Null when it had to be killed. */
  readonly code: number | null;
  readonly stderr: string;
  readonly stdout: string;
  /** How long `close` took by its own clock, in milliseconds. */
  readonly closedAfterMs: number;
}

export interface ClosingServer {
  readonly port: number;
  /** Resolves once the server has told this as often as it is asked for: `GET`, `POST`, or a word of its setup. */
  told(what: string): Promise<void>;
  /** Calls `io.close` and waits for the process to exit by itself. */
  close(argument?: CloseOptions): Promise<Exit>;
}

/** Starts a server in a process of its own, which ends with ours if it is not closed before. */
export async function startClosingServer({
  setup = "plain",
  options = {},
  target = "http server",
}: ServerSetup = {}): Promise<ClosingServer> {
  const child = fork(script, [JSON.stringify({ setup, options, target })], { silent: true });
  const ended = once(child, "close");
  const stdout = text(child.stdout as Readable);
  const stderr = text(child.stderr as Readable);
  const heard = new Map<string, number>();
  let wake = (): void => {};
  const port = await new Promise<number>((resolve, reject) => {
    child.on("message", (message: string | { port: number }) => {
      if (typeof message === "object") return resolve(message.port);
      heard.set(message, (heard.get(message) ?? 0) + 1);
      wake();
    });
    void ended.then(async () => reject(new Error(`the server does not start: ${await stderr}`)));
  });
  return {
    port,
    told: async (what) => {
      for (;;) {
        const count = heard.get(what) ?? 0;
        if (count > 0) return void heard.set(what, count - 1);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    close: async (argument) => {
      child.send({ argument: argument ?? null });
      const guard = setTimeout(() => child.kill("SIGKILL"), EXIT_GUARD_MS);
      const [code] = (await ended) as [number | null];
      clearTimeout(guard);
      const printed = await stdout;
      const closedAfterMs = Number(/closed after (\d+) ms/.exec(printed)?.[1] ?? Infinity);
      return { code, stdout: printed, stderr: await stderr, closedAfterMs };
    },
  };
}
