import { expect, it, vi } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite } from "../support/client-suite.js";
import { happens, stopTimers } from "../../support/fake-clock.js";
import { impatient, messagesAtServer } from "../support/observe.js";

type Reply = (...answer: unknown[]) => void;

function echo(peer: InteropSocket): void {
  peer.on("echo", (value: unknown, reply: Reply) => reply(value));
}

clientSuite("retries", ({ startServer, open, connect, connectPair }) => {
  it("53: sends one event at a time, and has it out of the queue when it is answered", async () => {
    const server = await startServer();
    server.io.on("connection", echo);
    const messages = messagesAtServer(server);
    const socket = await connect(server.url, { retries: 1, ackTimeout: 5_000 });
    const queue = (): number => (socket as unknown as { _queue: unknown[] })._queue.length;
    const left: unknown[] = [];

    await new Promise<void>((resolve) => {
      for (const value of [1, 2, 3]) {
        socket.emit("echo", value, (error: unknown, answer: unknown) => {
          if (left.push([error, answer, queue()]) === 3) resolve();
        });
      }
      expect(queue()).toBe(3);
    });

    expect(left).toEqual([
      [null, 1, 2],
      [null, 2, 1],
      [null, 3, 0],
    ]);
    expect(messages).toEqual(["0", '20["echo",1]', '21["echo",2]', '22["echo",3]']);
  });

  it("54: sends an event that is not answered once more than its retries, each time with another id", async () => {
    const server = await startServer();
    const messages = messagesAtServer(server);
    const { socket, peer } = await connectPair(server, { retries: 3, ackTimeout: 20 });

    const error = await new Promise((resolve) => socket.emit("void", resolve));
    const gone = nextEvent(peer, "disconnect");
    socket.disconnect();
    await gone;

    expect(error).toEqual(new Error("operation has timed out"));
    expect(messages).toEqual(["0", '20["void"]', '21["void"]', '22["void"]', '23["void"]', "1"]);
  });

  it("54: sends the next event as soon as it has given up one", async () => {
    const server = await startServer();
    server.io.on("connection", echo);
    const socket = open(server.url, { retries: 1, ackTimeout: 10_000 });

    const outcomes = await Promise.allSettled([socket.timeout(20).emitWithAck("void"), socket.emitWithAck("echo", 1)]);

    expect(outcomes).toEqual([
      { status: "rejected", reason: new Error("operation has timed out") },
      { status: "fulfilled", value: 1 },
    ]);
  });

  it("54: counts a lost connection as a try that failed", async () => {
    const server = await startServer();
    let tries = 0;
    server.io.on("connection", (peer: InteropSocket) => {
      peer.on("fatal", () => {
        tries++;
        peer.conn.close();
      });
    });
    const socket = open(server.url, { ...impatient, retries: 2, ackTimeout: 5_000 });

    const error = await new Promise((resolve) => socket.emit("fatal", resolve));

    expect(error).toEqual(new Error("socket has been disconnected"));
    expect(tries).toBe(3);
  });

  it("55: gives an event all its time, however long it waited for the connection", async () => {
    const server = await startServer();
    server.io.on("connection", echo);
    stopTimers();
    const socket = open(server.url, { autoConnect: false, retries: 1, ackTimeout: 50 });

    const answer = socket.emitWithAck("echo", 1);
    vi.advanceTimersByTime(60_000);
    socket.connect();
    await happens(socket, "connect");

    expect(await answer).toBe(1);
  });

  it("56: sends once what is emitted while it connects", async () => {
    const server = await startServer();
    server.io.on("connection", echo);
    const messages = messagesAtServer(server);
    const socket = open(server.url, { retries: 3, ackTimeout: 5_000 });

    const answer = await new Promise((resolve) => {
      socket.on("connect", () => socket.emit("echo", 1, (...args: unknown[]) => resolve(args)));
    });

    expect(answer).toEqual([null, 1]);
    expect(messages).toEqual(["0", '20["echo",1]']);
  });

  it("56: sends what is volatile at once, beside the queue", async () => {
    const server = await startServer();
    const socket = await connect(server.url, { retries: 3, ackTimeout: 5_000 });
    const seen = new Promise((resolve) => {
      for (const peer of server.io.sockets.sockets.values()) {
        const names: unknown[] = [];
        peer.onAny((name: string) => names.push(name) === 2 && resolve(names));
      }
    });

    socket.volatile.emit("volatile");
    socket.emit("regular");

    expect(await seen).toEqual(["volatile", "regular"]);
  });
});
