/** Over how many seconds the rate is measured: a crowd that comes back after a deploy is no flood. */
const WINDOW_SECONDS = 10;

/** Addresses that are counted at the same time; more than that begin a new window early. */
const MAX_ADDRESSES = 100_000;

/**
 * Counts handshakes by address, in windows of ten seconds. What it remembers is bounded and dropped with each window.
 */
export class HandshakeLimit {
  #counts = new Map<string, number>();
  #windowEnd = 0;

  /**
   * Counts one handshake.
   *
   * @param maxPerSecond - on average over the window
   * @returns whether it is within the limit
   */
  admit(address: string, maxPerSecond: number): boolean {
    const now = performance.now();
    if (now >= this.#windowEnd || this.#counts.size >= MAX_ADDRESSES) {
      this.#counts = new Map();
      this.#windowEnd = now + WINDOW_SECONDS * 1000;
    }
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    return count <= maxPerSecond * WINDOW_SECONDS;
  }
}
