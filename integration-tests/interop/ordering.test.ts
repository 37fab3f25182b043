import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { openClient } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import type { ListeningServer } from "../support/listening-server.js";
import { nextEvent } from "../support/next-event.js";

const messages = 10_000;
/** Each end has received so many over polling when the upgrade is let through. */
const before = 500;
/** Kept back for the time after the upgrade. */
const after = 500;

interface Sender {
  emit(event: string, ...args: unknown[]): unknown;
}

/** Numbers of messages sent before, during and after the upgrade of one end. */
interface Sent {
  beforeUpgrade: number;
  afterUpgrade: number;
}

/**
 * Sends `messages` numbered messages, a few per turn of the loop until this end has been upgraded and then the rest.
 * Thus they flow from before the upgrade starts until after it is over.
 */
async function sendAcrossUpgrade(sender: Sender, upgraded: Promise<unknown>, binaryEvery: number): Promise<Sent> {
  let isUpgraded = false;
  void upgraded.then(() => {
    isUpgraded = true;
  });
  let sent = 0;
  const send = (count: number): void => {
    for (const end = sent + count; sent < end; sent++) {
      sender.emit("message", sent, sent % binaryEvery === 0 ? Buffer.from([sent % 256]) : "text");
    }
  };
  while (!isUpgraded) {
    send(Math.min(20, messages - after - sent));
    await nextTurn();
  }
  const beforeUpgrade = sent;
  while (sent < messages) {
    send(Math.min(100, messages - sent));
    await nextTurn();
  }
  return { beforeUpgrade, afterUpgrade: messages - beforeUpgrade };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Receiver {
  /** Resolves when `before` messages have come. */
  readonly started: Promise<void>;
  /** Resolves with the numbers of all messages, in the order they came. */
  readonly all: Promise<number[]>;
}

function receive(end: { on(event: string, listener: (index: number) => void): unknown }): Receiver {
  const received: number[] = [];
  let start: () => void;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const all = new Promise<number[]>((resolve) => {
    end.on("message", (index) => {
      received.push(index);
      if (received.length === before) start();
      if (received.length === messages) resolve(received);
    });
  });
  return { started, all };
}

/** Lets upgrade requests wait until the returned function is called. */
function holdUpgrades(server: ListeningServer): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.io.engine.use((request: IncomingMessage, _response: unknown, next: () => void) => {
    if (request.headers.upgrade === undefined) next();
    else void released.then(next);
  });
  return release;
}

const inOrder = Array.from({ length: messages }, (_, index) => index);

interopSuite("order", ({ startServer }) => {
  it.each([
    { content: "text", binaryEvery: Number.POSITIVE_INFINITY },
    { content: "text and binary", binaryEvery: 7 },
  ])("keeps 10,000 messages of $content each way in order across the upgrade", async ({ binaryEvery }) => {
    const server = await startServer();
    const letUpgrade = holdUpgrades(server);
    const accepted = new Promise<{ receiver: Receiver; sent: Promise<Sent>; socket: InteropSocket }>((resolve) => {
      server.io.on("connection", (socket) => {
        const sent = sendAcrossUpgrade(socket, nextEvent(socket.conn, "upgrade"), binaryEvery);
        resolve({ receiver: receive(socket), sent, socket });
      });
    });
    const client = openClient(server.url, { travel: "upgrade" });
    const clientReceiver = receive(client);
    await nextEvent(client, "connect");
    const sentByClient = sendAcrossUpgrade(client, nextEvent(client.io.engine, "upgrade"), binaryEvery);
    const { receiver, sent, socket } = await accepted;

    await Promise.all([receiver.started, clientReceiver.started]);
    expect(socket.conn.transport.name).toBe("polling");
    letUpgrade();

    expect(await receiver.all).toEqual(inOrder);
    expect(await clientReceiver.all).toEqual(inOrder);
    expect(socket.conn.transport.name).toBe("websocket");
    for (const { beforeUpgrade, afterUpgrade } of [await sent, await sentByClient]) {
      expect(beforeUpgrade).toBeGreaterThanOrEqual(before);
      expect(afterUpgrade).toBeGreaterThanOrEqual(after);
    }
  });

  it("keeps acks and the events around them in order across the upgrade", async () => {
    const server = await startServer();
    server.io.on("connection", (socket) => {
      socket.on("ask", (index: number, reply: (index: number) => void) => {
        socket.emit("step", index);
        reply(index);
      });
    });
    const client = openClient(server.url, { travel: "upgrade" });
    const order: string[] = [];
    client.on("step", (index: number) => order.push(`event ${index}`));
    await nextEvent(client, "connect");

    const asked = Array.from({ length: 500 }, async (_, index) => {
      await new Promise<void>((resolve) => {
        client.emit("ask", index, (answer: number) => {
          order.push(`ack ${answer}`);
          resolve();
        });
      });
    });
    await Promise.all(asked);

    expect(order).toEqual(Array.from({ length: 500 }, (_, index) => [`event ${index}`, `ack ${index}`]).flat());
  });
});
