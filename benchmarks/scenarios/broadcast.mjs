import { BROADCAST_TEXT } from "../load/dialects.mjs";
import { measureCpu } from "./measure-cpu.mjs";

const CONNECTIONS = 1_000;

/** The server sends to everyone, `perTurn` times in one turn of its loop; the next turn begins when all have everything. */
function broadcastScenario(perTurn) {
  const times = perTurn === 1 ? "1 broadcast" : `${perTurn} broadcasts`;
  return {
    name: `broadcast-${perTurn}`,
    title: `${times} per turn to ${CONNECTIONS} connections, per delivery`,
    unit: "us/message",
    async run(context) {
      const clients = await context.connect(CONNECTIONS);
      await checkBroadcast(context.server, clients);
      return measureCpu(context, createBroadcastLoad(context, clients, perTurn));
    },
  };
}

async function checkBroadcast(server, clients) {
  const received = clients.map((client) => client.nextText((text) => text.startsWith("4")));
  server.tell("broadcast", { times: 1 });
  for (const text of await Promise.all(received)) {
    if (text !== BROADCAST_TEXT) throw new Error(`expected the broadcast ${BROADCAST_TEXT}, got ${text}`);
  }
  for (const client of clients) client.startCounting();
}

/** @returns {(durationMs: number) => Promise<number>} */
function createBroadcastLoad({ server, fail }, clients, perTurn) {
  const deliveriesPerTurn = clients.length * perTurn;
  return (durationMs) =>
    new Promise((resolve) => {
      const endMs = performance.now() + durationMs;
      let messages = 0;
      let missing = 0;
      const nextTurn = () => {
        missing = deliveriesPerTurn;
        server.tell("broadcast", { times: perTurn });
      };
      const onMessages = (count) => {
        messages += count;
        missing -= count;
        if (missing > 0) return;
        if (missing < 0) fail(new Error(`${-missing} deliveries more than were sent`));
        else if (performance.now() < endMs) nextTurn();
        else resolve(messages);
      };
      for (const client of clients) client.onMessages = onMessages;
      nextTurn();
    });
}

export const BROADCAST_SCENARIOS = [broadcastScenario(1), broadcastScenario(10)];
