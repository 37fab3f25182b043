import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./fixtures/measured-server.mjs", import.meta.url));

export interface Measurement {
  /** On the heap and beside it, after full collections. */
  readonly bytes: number;
  /** What could be left behind. */
  readonly held: {
    readonly clients: number;
    readonly clientIds: number;
    readonly sockets: number;
    readonly pendingSockets: number;
    readonly rooms: number;
    readonly socketIds: number;
    readonly namespaces: readonly string[];
    /** Handles and timers that keep the process alive. */
    readonly resources: readonly string[];
    /** Counts by event of the HTTP server, the engine, the server, the main namespace, its adapter and the process. */
    readonly listeners: ReadonlyArray<Readonly<Record<string, number>>>;
  };
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
