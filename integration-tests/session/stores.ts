import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import session from "express-session";
import { beforeAll } from "vitest";
import { startRedis } from "../adapters/redis-process.js";
import { installLocked } from "../support/install-locked.js";
import { startPostgres } from "./postgres-process.js";

const peers = fileURLToPath(new URL("./peers/", import.meta.url));
const requirePeer = createRequire(new URL("./peers/package.json", import.meta.url));

/** A place where sessions are kept, for the tests of a file. */
export interface StoreService {
  /** A store of the same sessions, with a connection of its own where there is one: what another process would have. */
  open(): Promise<session.Store>;
  remove(): Promise<void>;
}

/** A kind of store. */
export interface StoreKind {
  readonly name: string;
  start(): Promise<StoreService>;
}

interface RedisClient {
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: "error", listener: () => void): unknown;
}

// In no test: no time that one may take is enough for an installation on a slow machine.
beforeAll(() => installLocked(peers));

/** Modules of `peers`, which have no types here. For tests and hooks: what loads this file installs them first. */
export async function loadPeer(name: string): Promise<unknown> {
  return requirePeer(name) as unknown;
}

export const memory: StoreKind = {
  name: "MemoryStore",
  start: () => {
    const store = new session.MemoryStore().setMaxListeners(0);
    return Promise.resolve({ open: () => Promise.resolve(store), remove: () => Promise.resolve() });
  },
};

export const redis: StoreKind = {
  name: "connect-redis on Redis",
  start: async () => {
    const { createClient } = (await loadPeer("redis")) as { createClient(options: object): RedisClient };
    const { RedisStore } = (await loadPeer("connect-redis")) as { RedisStore: new (options: object) => session.Store };
    const server = await startRedis();
    const clients: RedisClient[] = [];
    return {
      open: async () => {
        const client = createClient({ socket: { path: server.socket } });
        client.on("error", () => {});
        await client.connect();
        clients.push(client);
        return new RedisStore({ client });
      },
      remove: async () => {
        for (const client of clients) client.destroy();
        await server.remove();
      },
    };
  },
};

const postgres: StoreKind = {
  name: "connect-pg-simple on PostgreSQL",
  start: async () => {
    const { Pool } = (await loadPeer("pg")) as { Pool: new (options: object) => { end(): Promise<void> } };
    const connect = (await loadPeer("connect-pg-simple")) as (
      module: typeof session,
    ) => new (options: object) => session.Store;
    const Store = connect(session);
    const server = await startPostgres();
    const pools: { end(): Promise<void> }[] = [];
    return {
      open: () => {
        const pool = new Pool({ host: server.host, user: server.user, database: "postgres", max: 4 });
        pools.push(pool);
        return Promise.resolve(new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false }));
      },
      remove: async () => {
        await Promise.all(pools.map((pool) => pool.end()));
        await server.remove();
      },
    };
  },
};

export const storeKinds: readonly StoreKind[] = [memory, redis, postgres];
