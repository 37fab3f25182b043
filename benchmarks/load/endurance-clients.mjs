import { setTimeout as sleep } from "node:timers/promises";
import { clientTextFrame } from "./client-frame.mjs";
import { openConnections } from "./connections.mjs";
import { echoRequest } from "./dialects.mjs";

/*
 * The clients of an endurance run, as a process of its own: it opens its share of the connections and lets each of them
 * send an event now and then. Answers are counted per connection, since each has to get its own ones and every broadcast.
 */

const TICK_MS = 50;

const { port, dialect, localAddress, count, eventEveryMs } = JSON.parse(process.argv[2]);
const request = clientTextFrame(echoRequest(1));
const lost = [];
let isOpen = false;
let sending = false;
let sent = 0;

/** Sends from the next few connections per tick, so that each has its turn once per `eventEveryMs`. */
async function trickle(connections) {
  let due = 0;
  let last = performance.now();
  while (sending) {
    await sleep(TICK_MS);
    const now = performance.now();
    due += ((now - last) / eventEveryMs) * count;
    last = now;
    for (; due >= 1; due--) {
      const connection = connections[sent++ % count];
      connection.client.write(request);
      connection.sent++;
    }
  }
}

const onLost = (error) => {
  if (!isOpen) throw error;
  lost.push(error.message);
};
const opened = await openConnections({ port, dialect, localAddress }, count, onLost);
isOpen = true;
const connections = opened.map((client) => {
  const connection = { client, sent: 0, received: 0 };
  client.startCounting();
  client.onMessages = (messages) => (connection.received += messages);
  return connection;
});

const commands = {
  begin() {
    sending = true;
    trickle(connections);
  },
  end() {
    sending = false;
  },
};

process.once("disconnect", () => process.exit());
process.on("message", ({ id, command, broadcasts }) => {
  commands[command]?.();
  const received = connections.reduce((sum, connection) => sum + connection.received, 0);
  const incomplete = connections.filter((connection) => connection.received !== connection.sent + broadcasts).length;
  process.send({
    id,
    sent,
    received,
    incomplete,
    lost: lost.length,
    firstLoss: lost[0],
    rss: process.memoryUsage.rss(),
  });
});
process.send({ ready: true });
