import { FlakyProxy } from "@plugboard/testkit";
import { onTestFinished } from "vitest";
import type { ClientSocket, Travel } from "../support/connect-client.js";
import type { ListeningServer } from "../support/listening-server.js";
import type { ClientImplementation } from "../client/support/clients.js";
import { ALL_CUTS, type Cut, CutSeries } from "./cuts.js";
import { type FlakyClientOptions, openImpatient } from "./scene.js";

/** Short, because half of the cuts are noticed by nothing else. */
export const QUICK_HEARTBEAT = { pingInterval: 100, pingTimeout: 100 };

/** A client behind a proxy of its own, which cuts its connections again and again. */
export interface ShakyClient {
  /** Unique; the server finds it in `handshake.auth`. */
  readonly name: string;
  readonly travel: Travel;
  readonly socket: ClientSocket;
  readonly cuts: CutSeries;
  readonly proxy: FlakyProxy;
}

/** Over each transport, and most of them over the one that most use. */
const ALL_TRAVELS: readonly Travel[] = ["websocket", "websocket", "websocket", "upgrade", "polling"];
const CLIENTS = 40;
/** How the bytes of every fourth one travel. */
const SLOW_AND_IN_PIECES = { delayMs: 1, maxPieceBytes: 200 };
/** A polling client spends most of its bytes on headers. */
const CUT_WITHIN_BYTES: Readonly<Record<Travel, number>> = { websocket: 1500, upgrade: 2000, polling: 3000 };

export interface ShakySettings {
  /** Of all clients together. */
  readonly cuts: number;
  readonly seed: number;
  /** All by default. */
  readonly kinds?: readonly Cut[];
  /** All transports by default. */
  readonly travels?: readonly Travel[];
  readonly options?: FlakyClientOptions;
}

/** Forty clients, none of which is connected yet. Everything ends with the running test. */
export async function openShakyClients(
  implementation: ClientImplementation,
  server: ListeningServer,
  { cuts, seed, kinds = ALL_CUTS, travels = ALL_TRAVELS, options }: ShakySettings,
): Promise<ShakyClient[]> {
  const ways = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const travel = travels[index % travels.length] as Travel;
      const series = new CutSeries(Math.ceil(cuts / CLIENTS), kinds, CUT_WITHIN_BYTES[travel], (random) => {
        // Now and then the network is gone for a while.
        if (random.oneIn(5)) proxy.refuse(1 + random.int(3));
      });
      const proxy = await FlakyProxy.listen({
        targetPort: server.port,
        seed: seed + index,
        onLink: series.onLink,
        ...(index % 4 === 0 && SLOW_AND_IN_PIECES),
      });
      onTestFinished(() => proxy.close());
      return { name: `${travel} ${index}`, travel, cuts: series, proxy };
    }),
  );
  return ways.map((way) => ({
    ...way,
    socket: openImpatient(implementation, way.proxy.url, { travel: way.travel, auth: { name: way.name }, ...options }),
  }));
}
