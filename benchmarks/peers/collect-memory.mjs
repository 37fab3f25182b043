const GC_PASSES = 4;

/** What this process holds after full collections. Needs `--expose-gc`. */
export async function collectMemory() {
  // Finalizers and the frees they cause need turns of the loop between collections.
  for (let pass = 0; pass < GC_PASSES; pass++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss };
}
