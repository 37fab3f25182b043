import { expect, it } from "vitest";
import { openClient } from "../support/connect-client.js";
import { interopSuite } from "../support/interop-suite.js";
import type { InteropSocket } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";

const messages = 10_000;
/** Sent on polling before anything else, and kept back for the time after the upgrade. */
const before = 500;
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
 * Sends `messages` numbered messages: some at once, then a few per turn of the loop until this end has been upgraded,
 * then the rest. Thus they flow from before the upgrade starts until after it is over.
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
  send(before);
  while (!isUpgraded) {
    if (sent < messages - after) send(Math.min(20, messages - after - sent));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const beforeUpgrade = sent;
  while (sent < messages) {
    send(Math.min(100, messages - sent));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { beforeUpgrade, afterUpgrade: messages - beforeUpgrade };
}

/** Resolves with the numbers of all messages, in the order they came. */
function receiveAll(receiver: { on(event: string, listener: (index: number) => void): unknown }): Promise<number[]> {
  const received: number[] = [];
  return new Promise((resolve) => {
    receiver.on("message", (index) => {
      received.push(index);
      if (received.length === messages) resolve(received);
    });
  });
}

const inOrder = Array.from({ length: messages }, (_, index) => index);

interopSuite("order", ({ startServer }) => {
  it.each([
    { content: "text", binaryEvery: Number.POSITIVE_INFINITY },
    { content: "text and binary", binaryEvery: 7 },
  ])("keeps 10,000 messages of $content each way in order across the upgrade", async ({ binaryEvery }) => {
    const server = await startServer();
    const accepted = new Promise<{ received: Promise<number[]>; sent: Promise<Sent>; socket: InteropSocket }>((resolve) => {
      server.io.on("connection", (socket) => {
        const sent = sendAcrossUpgrade(socket, nextEvent(socket.conn, "upgrade"), binaryEvery);
        resolve({ received: receiveAll(socket), sent, socket });
      });
    });
    const client = openClient(server.url, { travel: "upgrade" });
    const receivedByClient = receiveAll(client);
    await nextEvent(client.io, "open");
    // Probing starts in this very turn, so the client's first messages leave on polling.
    const sentByClient = sendAcrossUpgrade(client, nextEvent(client.io.engine, "upgrade"), binaryEvery);

    const { received, sent, socket } = await accepted;

    expect(await received).toEqual(inOrder);
    expect(await receivedByClient).toEqual(inOrder);
    expect(socket.conn.transport.name).toBe("websocket");
    for (const { beforeUpgrade, afterUpgrade } of [await sent, await sentByClient]) {
      expect(beforeUpgrade).toBeGreaterThanOrEqual(before);
      expect(afterUpgrade).toBeGreaterThanOrEqual(after);
    }
  });

  it("keeps acks in order with the events around them across the upgrade", async () => {
    const server = await startServer();
    server.io.on("connection", (socket) => {
      socket.on("ask", (index: number, reply: (index: number) => void) => {
        socket.emit("step", `event ${index}`);
        reply(index);
      });
    });
    const client = openClient(server.url, { travel: "upgrade" });
    const order: string[] = [];
    client.on("step", (step: string) => order.push(step));
    await nextEvent(client, "connect");

    const asked = Array.from({ length: 500 }, async (_, index) => {
      order.push(`ack ${await new Promise((resolve) => client.emit("ask", index, resolve))}`);
    });
    await Promise.all(asked);
    if (client.io.engine.transport.name === "polling") await nextEvent(client.io.engine, "upgrade");

    const eventsOnly = order.filter((step) => step.startsWith("event"));
    const acksOnly = order.filter((step) => step.startsWith("ack"));
    expect(eventsOnly).toEqual(Array.from({ length: 500 }, (_, index) => `event ${index}`));
    expect(acksOnly).toEqual(Array.from({ length: 500 }, (_, index) => `ack ${index}`));
  });
});
