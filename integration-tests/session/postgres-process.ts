import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A PostgreSQL of its own, on a socket file: no port to find, nothing to collide with. */
export interface PostgresProcess {
  /** Folder of the socket file: the `host` of a client. */
  readonly host: string;
  readonly user: string;
  /** Ends it and leaves nothing behind. */
  remove(): Promise<void>;
}

/** Where Debian puts the programs of the newest version that is installed. */
async function binaries(): Promise<string> {
  const root = "/usr/lib/postgresql";
  const versions = await readdir(root).catch(() => []);
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1);
  if (newest === undefined) throw new Error(`PostgreSQL is not installed below ${root}`);
  return join(root, newest, "bin");
}

/** Whom the server runs as: it refuses to be root's. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = await Promise.all(["-u", "-g"].map((which) => run("id", [which, "postgres"])));
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
}

export async function startPostgres(): Promise<PostgresProcess> {
  const bin = await binaries();
  const identity = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), "plugboard-postgres-"));
  if (identity.uid !== undefined && identity.gid !== undefined) await chown(folder, identity.uid, identity.gid);
  const data = join(folder, "data");
  const user = "plugboard";
  const options = ["--auth=trust", `--username=${user}`, "--encoding=UTF8", "--no-sync", "--pgdata", data];
  await run(join(bin, "initdb"), options, { ...identity, cwd: folder });
  const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off", "full_page_writes=off"];
  const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const child = spawn(join(bin, "postgres"), args, { ...identity, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  await ready(child);
  return {
    host: folder,
    user,
    // Told so, it waits for its clients to leave.
    remove: async () => {
      if (child.exitCode === null && child.kill("SIGTERM")) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`PostgreSQL ended: ${log}`)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/ready to accept connections/.test(text)) resolve();
    });
  });
}
