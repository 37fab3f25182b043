import { onTestFailed } from "vitest";

/** Random numbers of the running test begin with this; it is printed when the test fails, to run it again with FLAKY_SEED. */
export function seedOfTest(): number {
  const seed = Number(process.env["FLAKY_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`to run this test with the same cuts: FLAKY_SEED=${seed}`));
  return seed;
}
