import { expect, it } from "vitest";
import { serve } from "../support/serve.js";
import { plugboardClient, publishedClient } from "../client/support/clients.js";
import { seedOfTest } from "./seed.js";
import { openShakyClients, QUICK_HEARTBEAT, type ShakyClient } from "./shaky-clients.js";

/** Messages a client has in its queue at any time. */
const QUEUED = 5;

/** Sends numbers until the cuts are over and all of them are acknowledged, each once and in order. Resolves with their count. */
function sendNumbers({ socket, cuts }: ShakyClient): Promise<number> {
  let sent = 0;
  let answered = 0;
  return new Promise((resolve, reject) => {
    const send = (): void => {
      const number = sent++;
      socket.emit("number", number, (error: unknown, echo: number) => {
        if (error !== null || echo !== number || number !== answered++) {
          reject(new Error(`${number} was answered by ${echo} in place of ${answered - 1}`, { cause: error }));
        }
        if (!cuts.isOver) send();
        else if (answered === sent) resolve(sent);
      });
    };
    for (let count = 0; count < QUEUED; count++) send();
  });
}

it.each([
  { implementation: plugboardClient, cuts: 1000 },
  { implementation: publishedClient, cuts: 200 },
])(
  "over $cuts cuts, what $implementation.name sends with retries arrives at least once, in order",
  async ({ implementation, cuts }) => {
    const seed = seedOfTest();
    const server = await serve({ ...QUICK_HEARTBEAT, maxHandshakesPerSecond: Infinity });
    const heard = new Map<string, number[]>();
    server.io.on("connection", (socket) => {
      const { name } = socket.handshake.auth as { name: string };
      socket.on("number", (number: number, answer: (echo: number) => void) => {
        heard.set(name, [...(heard.get(name) ?? []), number]);
        answer(number);
      });
    });
    const options = { retries: Infinity, ackTimeout: 300 };
    const clients = await openShakyClients(implementation, server, { cuts, seed, options });
    for (const client of clients) client.cuts.start();

    const counts = await Promise.all(clients.map(sendNumbers));

    for (const [index, { name }] of clients.entries()) {
      // A set keeps the order in which its members first came.
      const expected = Array.from({ length: counts[index] as number }, (_, number) => number);
      expect({ name, first: [...new Set(heard.get(name))] }).toEqual({ name, first: expected });
    }
    expect(clients.reduce((sum, client) => sum + client.cuts.count, 0)).toBeGreaterThanOrEqual(cuts);
  },
  300_000,
);
