import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { type ClientImplementation, plugboardClient, publishedClient } from "../client/support/clients.js";
import type { ListeningServer } from "../support/listening-server.js";
import { serve } from "../support/serve.js";
import { TOLD_CUTS } from "./cuts.js";
import { seedOfTest } from "./seed.js";
import { openShakyClients, QUICK_HEARTBEAT, type ShakyClient, type ShakySettings } from "./shaky-clients.js";

/** Events on their way to one client at most, so that the server does not flood it while it is away. */
const MAX_UNHEARD = 20;
/** How often the server sends, in milliseconds. It goes on while the client is away: that is the point. */
const PACE_MS = 2;

/** What a client has heard, and of each connection after that of the first event whether it was recovered. */
interface Heard {
  readonly numbers: number[];
  readonly recovered: boolean[];
}

/** Emits numbers to the room of a client until the cuts are over and it has heard the end. Resolves with their count. */
async function emitNumbers(
  server: ListeningServer,
  client: ShakyClient,
  { numbers, recovered }: Heard,
): Promise<number> {
  const room = server.io.to(client.name);
  let sent = 0;
  const emit = (): void => {
    room.emit("number", sent++);
  };
  // The promise begins with the first event received, and a busy machine may lose a connection before that.
  while (numbers.length === 0) {
    emit();
    await wait(PACE_MS);
  }
  client.socket.on("connect", () => recovered.push(client.socket.recovered));
  client.cuts.start();
  for (const link of client.proxy.links) link.reset();
  let pauses = 0;
  while (!client.cuts.isOver) {
    // Now and then in any case: with nothing on its way nothing would be cut.
    if (sent - numbers.length < MAX_UNHEARD || ++pauses % MAX_UNHEARD === 0) emit();
    // What is not kept for those who are away must not disturb what is.
    room.volatile.emit("weather", sent);
    await wait(PACE_MS);
  }
  let isOver = false;
  client.socket.once("end", () => (isOver = true));
  // Once would do, if the promise is kept; a broken one is to be told by what is missing.
  while (!isOver) {
    room.emit("end");
    await wait(50);
  }
  return sent;
}

/** Lets the server talk to clients whose connections are cut so many times, and shows for each what it was and was not told. */
async function runCuts(implementation: ClientImplementation, settings: Omit<ShakySettings, "seed">) {
  const server = await serve({
    ...QUICK_HEARTBEAT,
    maxHandshakesPerSecond: Infinity,
    connectionStateRecovery: { maxStoredPackets: 1_000_000 },
  });
  server.io.on("connection", (socket) => socket.join((socket.handshake.auth as { name: string }).name));
  const clients = await openShakyClients(implementation, server, { ...settings, seed: seedOfTest() });
  const results = await Promise.all(
    clients.map(async (client) => {
      const { name, socket } = client;
      const record: Heard = { numbers: [], recovered: [] };
      socket.on("number", (number: number) => record.numbers.push(number));
      const sent = await emitNumbers(server, client, record);
      const first = record.numbers[0] as number;
      return { name, ...record, expected: Array.from({ length: sent - first }, (_, index) => first + index) };
    }),
  );
  expect(clients.reduce((sum, client) => sum + client.cuts.count, 0)).toBeGreaterThanOrEqual(settings.cuts);
  return results;
}

it("over 1000 cuts with recovery, our client hears every event exactly once, in order", async () => {
  for (const { name, numbers, recovered, expected } of await runCuts(plugboardClient, { cuts: 1000 })) {
    expect({ name, numbers }).toEqual({ name, numbers: expected });
    expect({ name, recovered: recovered.every(Boolean) }).toEqual({ name, recovered: true });
  }
}, 300_000);

it("over 200 cuts that both sides notice, the published client hears every event at least once over websocket", async () => {
  const settings = { cuts: 200, kinds: TOLD_CUTS, travels: ["websocket"] } as const;
  for (const { name, numbers, expected } of await runCuts(publishedClient, settings)) {
    expect({ name, first: [...new Set(numbers)] }).toEqual({ name, first: expected });
  }
}, 300_000);
