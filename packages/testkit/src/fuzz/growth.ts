import type { FuzzTarget } from "./fuzz-target.js";

/*
 * Linear time: an input 64 times as long may cost 8 times 64 times as much, which leaves room for caches, garbage and a
 * busy machine, and none for anything quadratic, which costs 4096 times as much. The shorter input counts as a twentieth
 * of a millisecond at least: below that the clock and the compiler decide.
 */
const SHORT_BYTES = 14 * 1024;
const FACTOR = 64;
const ALLOWANCE = 8;
const LEAST_SHORT_MS = 0.05;
const ATTEMPTS = 5;

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
  for (const family of Object.keys(target.growing)) {
    const shortMs = await leastMs(target, family, SHORT_BYTES, Infinity);
    const limitMs = Math.max(shortMs, LEAST_SHORT_MS) * FACTOR * ALLOWANCE;
    const longMs = await leastMs(target, family, SHORT_BYTES * FACTOR, limitMs);
    measured.push({ family, shortMs, longMs });
    if (longMs > limitMs) {
      throw new Error(`${family}: ${longMs} ms for ${FACTOR} times the size that takes ${shortMs} ms`);
    }
  }
  return measured;
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
    if (enoughMs !== Infinity && least <= enoughMs) break;
  }
  await session.close?.();
  return least;
}
