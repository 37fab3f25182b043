/**
 * Fails a step that takes too long: a hung peer must cost one row, not the whole run.
 *
 * @template T
 * @param {number} limitMs
 * @param {string} step named in the error
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
export async function within(limitMs, step, work) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${step} took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
