import { expect, it, onTestFinished } from "vitest";
import { connectClient } from "../support/connect-client.js";
import { SERVERS, type Abuse } from "./abuse.js";
import { startAbusedServers } from "./abused-servers.js";
import { ABUSES } from "./abuses/index.js";

const WARM_UP_ROUNDS = 10;
const ROUNDS = 100;
/** So many at a time: abuses of the patient server keep the processor busy, the others wait most of the time. */
const BUSY_LANES = 10;
const WAITING_LANES = 80;
/** Of the heap, which breathes: 80 bytes for each abuse. */
const TOLERANCE_BYTES = 2_000_000;
/** The last ones of their kind may still be referred to from somewhere; one of each abuse would be as many as rounds. */
const TOLERANCE_OBJECTS = 20;

type Run = () => Promise<void>;

async function runAll(runs: readonly Run[], lanes: number): Promise<void> {
  const left = runs.values();
  const lane = async (): Promise<void> => {
    for (const run of left) await run();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

it(`holds nothing that it did not hold before, after all abuses ${ROUNDS} times`, { timeout: 300_000 }, async () => {
  const servers = await startAbusedServers(Object.values(SERVERS));
  onTestFinished(() => servers.stop());
  const portOf = Object.fromEntries(Object.keys(SERVERS).map((name, index) => [name, servers.ports[index]]));
  const runsOf = (abuses: readonly Abuse[], rounds: number): Run[] =>
    Array.from({ length: rounds }, () =>
      abuses.map(
        ({ server = "patient", run }) =>
          () =>
            run(portOf[server] as number),
      ),
    ).flat();
  const abuses = Object.values(ABUSES).flat();
  const abuse = async (rounds: number): Promise<void> => {
    const busy = abuses.filter(({ server }) => server === undefined);
    const waiting = abuses.filter(({ server }) => server !== undefined);
    await Promise.all([runAll(runsOf(busy, rounds), BUSY_LANES), runAll(runsOf(waiting, rounds), WAITING_LANES)]);
  };
  const bystander = await connectClient(`http://127.0.0.1:${portOf["patient"]}`);

  await abuse(WARM_UP_ROUNDS);
  const before = await servers.measure(1);
  await abuse(ROUNDS);
  const after = await servers.measure(1);

  expect(await bystander.emitWithAck("echo", "x")).toBe("x");
  const most = Object.entries(before.objects).map(([kind, count]) => [kind, count + TOLERANCE_OBJECTS] as const);
  expect(most.filter(([kind, count]) => (after.objects[kind] ?? 0) > count)).toEqual([]);
  expect(after.resources).toEqual(before.resources);
  expect(after.held).toEqual(before.held);
  expect(after.heapBytes - before.heapBytes).toBeLessThan(TOLERANCE_BYTES);
  expect(after.outsideBytes - before.outsideBytes).toBeLessThan(TOLERANCE_BYTES);
});
