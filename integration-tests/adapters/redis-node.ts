import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "@plugboard/server";

const script = fileURLToPath(new URL("./fixtures/redis-node.mjs", import.meta.url));

export const redisAdapters = ["redis-adapter", "redis-streams-adapter"] as const;
export type RedisAdapter = (typeof redisAdapters)[number];

export interface ClusterSetup {
  readonly adapter: RedisAdapter;
  /** Path of the socket on which Redis listens. */
  readonly redisSocket: string;
  /** How many nodes there are, this one included, once it is ready. */
  readonly nodeCount: number;
  readonly options?: Partial<ServerOptions>;
}

/** A server of ours in its own process, on a Redis adapter. */
export interface RedisNode {
  readonly port: number;
  readonly pid: number;
  /** Runs one of the fixture's commands in that process. */
  command(name: string, ...args: unknown[]): Promise<unknown>;
  /** Closes the server and resolves to the exit code of the process, which has to end by itself. */
  close(): Promise<number | null>;
  /** Stops the process as it is; it goes on with `SIGCONT`. */
  freeze(): void;
  kill(): Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly responses?: unknown[];
  readonly ready?: number;
  readonly pid?: number;
}

/** Starts all nodes of a cluster; resolves once each of them hears the others. */
export function startRedisNodes(setup: ClusterSetup): Promise<RedisNode[]> {
  return Promise.all(Array.from({ length: setup.nodeCount }, () => startRedisNode(setup)));
}

/** Starts one node; resolves once there are as many as the setup says and they hear each other. */
export async function startRedisNode(setup: ClusterSetup): Promise<RedisNode> {
  const child = fork(script, [JSON.stringify(setup)], { serialization: "advanced" });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const waiting = new Map<number, (reply: Reply) => void>();
  const ready = new Promise<Reply>((resolve, reject) => {
    child.on("message", (reply: Reply) => {
      if (reply.ready !== undefined) resolve(reply);
      else if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
    });
    void exited.then((code) => reject(new Error(`the node ended with ${String(code)}`)));
  });
  const { ready: port, pid } = await ready;
  let lastId = 0;
  const command = async (name: string, ...args: unknown[]): Promise<unknown> => {
    const id = ++lastId;
    const reply = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    child.send({ id, command: name, args });
    const { value, error, responses } = await reply;
    if (error !== undefined) throw Object.assign(new Error(error), { responses });
    return value;
  };
  return {
    port: port ?? 0,
    pid: pid ?? 0,
    command,
    close: () => {
      child.send({ id: 0, command: "close", args: [] });
      return exited;
    },
    freeze: () => void child.kill("SIGSTOP"),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
