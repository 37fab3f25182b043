import type { FuzzTarget } from "./fuzz-target.js";

/*
 * Linear time: an input 64 times as long may cost 16 times 64 times as much, which leaves room for caches, garbage and a
 * busy machine, and none for anything quadratic, which costs 4096 times as much. The shorter input counts as a twentieth
 * of a millisecond at least: below that the clock and the compiler decide. Who fails is measured again.
 */
const SHORT_BYTES = 14 * 1024;
const FACTOR = 64;
const ALLOWANCE = 16;
const LEAST_SHORT_MS = 0.05;
const ATTEMPTS = 5;
const ROUNDS = 3;

export interface Growth {
  readonly family: string;
  readonly shortMs: number;
  readonly longMs: number;
}

/**
 * Measures how the cost of each family of inputs grows with their size.
 *
 * @throws when one grows faster than its size
 */
export async function measureGrowth(target: FuzzTarget): Promise<Growth[]> {
  const measured: Growth[] = [];
  for (const family of Object.keys(target.growing)) measured.push(await measureFamily(target, family));
  return measured;
}

async function measureFamily(target: FuzzTarget, family: string): Promise<Growth> {
  let growth: Growth = { family, shortMs: 0, longMs: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    const shortMs = await leastMs(target, family, SHORT_BYTES, 0);
    const limitMs = Math.max(shortMs, LEAST_SHORT_MS) * FACTOR * ALLOWANCE;
    const longMs = await leastMs(target, family, SHORT_BYTES * FACTOR, limitMs);
    growth = { family, shortMs, longMs };
    if (longMs <= limitMs) return growth;
  }
  throw new Error(`${family}: ${growth.longMs} ms for ${FACTOR} times the size that takes ${growth.shortMs} ms`);
}

/** The least of some attempts is what the work costs; one within the limit is enough. */
async function leastMs(target: FuzzTarget, family: string, size: number, enoughMs: number): Promise<number> {
  const make = target.growing[family] as (size: number) => ReturnType<FuzzTarget["generate"]>;
  const input = make(size);
  const session = await target.open();
  let least = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const start = performance.now();
    await session.run(input);
    least = Math.min(least, performance.now() - start);
    if (least <= enoughMs) break;
  }
  await session.close?.();
  return least;
}
