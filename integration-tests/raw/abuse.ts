import type { InteropServerOptions } from "../support/interop-implementation.js";

/** Something that a broken or hostile client does, and the documented answer to it. */
export interface Abuse {
  readonly title: string;
  /** The server it wants; `patient` by default. */
  readonly server?: keyof typeof SERVERS;
  /** Rejects when the answer is another one. Leaves no connection and no session behind. */
  run(port: number): Promise<void>;
}

/** How the HTTP and the Socket.IO server of an abuse are made. */
export interface AbusedServerOptions {
  readonly http: Readonly<Record<string, number>>;
  readonly io: InteropServerOptions & { readonly maxHandshakesPerSecond: number };
}

const COMMON: AbusedServerOptions["io"] = { maxHttpBufferSize: 10_000, maxHandshakesPerSecond: 1e9 };

/** Each loses its patience in one thing only, so that nothing else interferes on a machine that is slow. */
export const SERVERS = {
  patient: { http: {}, io: COMMON },
  unjoined: { http: {}, io: { ...COMMON, connectTimeout: 500 } },
  unanswered: { http: {}, io: { ...COMMON, pingInterval: 800, pingTimeout: 1200 } },
  notUpgraded: { http: {}, io: { ...COMMON, cors: {}, upgradeTimeout: 1500, destroyUpgradeTimeout: 100 } },
  unread: { http: { headersTimeout: 1000, requestTimeout: 1200, connectionsCheckingInterval: 50 }, io: COMMON },
} as const satisfies Record<string, AbusedServerOptions>;
