import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Redis of its own, on a socket file: no port to find, nothing to collide with. It keeps nothing on disk. */
export interface RedisProcess {
  /** Path of the socket file. */
  readonly socket: string;
  /** Ends it like a crash; `start` brings an empty one back in its place. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and leaves nothing behind. */
  remove(): Promise<void>;
}

export async function startRedis(): Promise<RedisProcess> {
  const folder = await mkdtemp(join(tmpdir(), "plugboard-redis-"));
  const socket = join(folder, "redis.sock");
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = await spawnRedis(socket);
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running?.kill("SIGKILL")) await once(running, "exit");
  };
  const remove = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  await start();
  return { socket, kill, start, remove };
}

async function spawnRedis(socket: string): Promise<ChildProcess> {
  const options = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", options, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (/ready to accept connections/i.test(text)) resolve();
    });
  });
  return child;
}
