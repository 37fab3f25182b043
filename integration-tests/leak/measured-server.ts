import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./fixtures/measured-server.mjs", import.meta.url));

export interface Measurement {
  /** On the heap and beside it, after full collections. */
  readonly bytes: number;
  /** Everything that could be left behind, by name. */
  readonly held: Readonly<Record<string, unknown>>;
}

/** The built server in a process of its own, so that nothing of the test counts. */
export interface MeasuredServer {
  readonly port: number;
  /** Waits until nobody is connected, and collects garbage, before it looks. */
  measure(): Promise<Measurement>;
  stop(): Promise<void>;
}

export async function startMeasuredServer(): Promise<MeasuredServer> {
  const child = fork(script, { execArgv: ["--expose-gc"] });
  const exited = once(child, "exit");
  const next = async <Message>(): Promise<Message> => {
    const ended = exited.then(([code]) => Promise.reject(new Error(`the server ended with ${String(code)}`)));
    return ((await Promise.race([once(child, "message"), ended])) as [Message])[0];
  };
  const { port } = await next<{ port: number }>();
  return {
    port,
    measure: () => {
      const measurement = next<Measurement>();
      child.send("measure");
      return measurement;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
