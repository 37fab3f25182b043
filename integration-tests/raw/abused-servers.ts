import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AbusedServerOptions } from "./abuse.js";

const script = fileURLToPath(new URL("./fixtures/abused-servers.mjs", import.meta.url));

export interface Measurement {
  /** After full collections. */
  readonly heapBytes: number;
  readonly outsideBytes: number;
  /** Objects that there are of each client, by kind; none where Node.js cannot count them. */
  readonly objects: Readonly<Record<string, number>>;
  /** What keeps the event loop going, by kind. */
  readonly resources: readonly string[];
  /** What each server keeps of its clients. */
  readonly held: unknown;
}

/** The built server, once per options, in a process of its own, so that nothing of the test counts. */
export interface AbusedServers {
  readonly ports: readonly number[];
  /** Waits until nobody is connected, but so many clients to the first server, before it looks. */
  measure(stayingClients: number): Promise<Measurement>;
  stop(): Promise<void>;
}

export async function startAbusedServers(options: readonly AbusedServerOptions[]): Promise<AbusedServers> {
  const child = fork(script, [JSON.stringify(options)], { execArgv: ["--expose-gc"] });
  const exited = once(child, "exit");
  const next = async <Message>(): Promise<Message> => {
    const ended = exited.then(([code]) => Promise.reject(new Error(`the servers ended with ${String(code)}`)));
    return ((await Promise.race([once(child, "message"), ended])) as [Message])[0];
  };
  const ports = await next<number[]>();
  return {
    ports,
    measure: (stayingClients) => {
      const measurement = next<Measurement>();
      child.send(stayingClients);
      return measurement;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
