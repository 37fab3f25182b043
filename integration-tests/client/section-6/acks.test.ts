import { expect, it, onTestFinished, vi } from "vitest";
import type { InteropSocket } from "../../support/interop-implementation.js";
import { nextEvent } from "../../support/next-event.js";
import { type ClientSocket, clientSuite } from "../support/client-suite.js";
import { impatient, recordedNames, turns } from "../support/observe.js";
import { silentServer } from "../support/unreachable.js";

type Reply = (...answer: unknown[]) => void;

/** How many acknowledgements a socket waits for. No public member says so; the published one is read by tests of others. */
function pendingAcks(socket: ClientSocket): number {
  const acks = (socket as unknown as { acks: object }).acks;
  return acks instanceof Map ? acks.size : Object.keys(acks).length;
}

clientSuite("acknowledgements", ({ startServer, open, connect, connectPair }) => {
  it("46: gives up a packet that waits for the connection when its time is over", async () => {
    const { url } = await silentServer();
    const socket = open(url);

    const seen = await new Promise((resolve) => {
      socket.timeout(5).emit("late", (error: unknown) => resolve([error, socket.sendBuffer.length]));
      expect(socket.sendBuffer).toHaveLength(1);
    });

    expect(seen).toEqual([new Error("operation has timed out"), 0]);
  });

  it("47: gives up at once, and once, with no time at all, although the answer comes", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    const answers: unknown[] = [];
    const asked = nextEvent<[Reply]>(peer, "question");

    await new Promise<void>((resolve) => {
      socket.timeout(0).emit("question", (...args: unknown[]) => {
        answers.push(args);
        resolve();
      });
    });
    const [reply] = await asked;
    const fence = nextEvent(socket, "fence");
    reply("too late");
    peer.emit("fence");
    await fence;

    expect(answers).toEqual([[new Error("operation has timed out")]]);
  });

  it("48: has null for an error when the answer comes in time", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server);
    peer.on("echo", (value: unknown, reply: Reply) => reply(value, "and more"));

    const answer = await new Promise((resolve) => {
      socket.timeout(10_000).emit("echo", 42, (...args: unknown[]) => resolve(args));
    });
    const plain = await new Promise((resolve) => {
      socket.emit("echo", 43, (...args: unknown[]) => resolve(args));
    });

    expect(answer).toEqual([null, 42, "and more"]);
    expect(plain).toEqual([43, "and more"]);
  });

  it("48: has an error or null first for every acknowledgement when ackTimeout is set, and nothing else", async () => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => peer.on("echo", (value, reply) => reply(value)));
    const [patient, hasty] = [open(server.url, { ackTimeout: 10_000 }), open(server.url, { ackTimeout: 10 })];

    const answered = new Promise((resolve) => patient.emit("echo", 42, (...args: unknown[]) => resolve(args)));
    const unanswered = new Promise((resolve) => hasty.emit("unknown", (...args: unknown[]) => resolve(args)));

    expect(await answered).toEqual([null, 42]);
    expect(await unanswered).toEqual([new Error("operation has timed out")]);
  });

  it("49: drops plain acknowledgements when it disconnects, and fails those with a time", async () => {
    const server = await startServer();
    const socket = await connect(server.url);
    const calls: unknown[] = [];
    const note =
      (name: string) =>
      (...args: unknown[]): void =>
        void calls.push([name, pendingAcks(socket), ...args]);
    socket.emit("a", note("plain"));
    socket.timeout(10_000).emit("b", note("timed"));
    expect(pendingAcks(socket)).toBe(2);

    socket.disconnect();

    expect(pendingAcks(socket)).toBe(0);
    expect(calls).toEqual([["timed", 0, new Error("socket has been disconnected")]]);
  });

  it("49: rejects what emitWithAck waits for when the connection is lost, also without a time", async () => {
    const server = await startServer();
    const socket = await connect(server.url, impatient);
    const answer = socket.emitWithAck("question");

    socket.io.engine.close();

    await expect(answer).rejects.toThrow(new Error("socket has been disconnected"));
  });

  it("50: is answered after it came back for what it emitted while it was away", async () => {
    const server = await startServer();
    server.io.on("connection", (peer: InteropSocket) => peer.on("echo", (value, reply) => reply(value)));
    const socket = await connect(server.url, impatient);
    const answers: Promise<unknown>[] = [];
    const emitBoth = (value: number): void => {
      answers.push(new Promise((resolve) => socket.emit("echo", value, resolve)));
      answers.push(socket.timeout(10_000).emitWithAck("echo", value));
    };
    socket.on("disconnect", () => emitBoth(1));
    const attempt = nextEvent(socket.io, "reconnect_attempt");

    socket.io.engine.close();
    await attempt;
    emitBoth(2);

    expect(await Promise.all(answers)).toEqual([1, 1, 2, 2]);
    expect(socket.connected).toBe(true);
  });

  it("51: holds back what it emits when the heartbeat is overdue, and delivers it once it came back", async () => {
    const server = await startServer();
    const { socket, peer } = await connectPair(server, impatient);
    const order = recordedNames(socket, "disconnect", "connect");
    socket.io.on("reconnect", () => order.push("reconnect"));
    const reasons: unknown[] = [];
    socket.on("disconnect", (reason) => reasons.push(reason));
    let lost = false;
    peer.onAny(() => (lost = true));
    const received = new Promise<unknown[]>((resolve) => {
      server.io.on("connection", (again: InteropSocket) => {
        again.on("event", (...args: unknown[]) => {
          order.push("event");
          resolve(args);
        });
      });
    });
    // As after a night's sleep: the clock has gone on, timers have not.
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    vi.setSystemTime(Date.now() + 86_400_000);

    socket.emit("event", 1);
    socket.emit("event", 2);
    expect(socket.sendBuffer).toHaveLength(2);
    vi.useRealTimers();

    expect(await received).toEqual([1]);
    await turns();
    expect(order.slice(0, 3)).toEqual(["disconnect", "reconnect", "connect"]);
    expect(reasons).toEqual(["ping timeout"]);
    expect(lost).toBe(false);
  });
});

clientSuite("connection state recovery", ({ startServer, connectPair }) => {
  it("52: gets its id back, and says so, after it has received an event", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { socket, peer } = await connectPair(server, impatient);
    expect(socket.recovered).toBe(false);
    const { id } = socket;
    const received = nextEvent(socket, "event");
    peer.emit("event");
    await received;
    const recoveredAtConnect = new Promise((resolve) => socket.on("connect", () => resolve(socket.recovered)));

    socket.io.engine.close();

    expect(await recoveredAtConnect).toBe(true);
    expect(socket.id).toBe(id);
  });

  it("52: has missed nothing when it gets its id back", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { socket, peer } = await connectPair(server, impatient);
    const received = nextEvent(socket, "event");
    peer.emit("event");
    await received;
    const seen: unknown[] = [];
    const missed = new Promise<void>((resolve) => {
      socket.on("missed", (value) => seen.push(value) === 2 && resolve());
    });
    const away = nextEvent(peer, "disconnect");
    const id = socket.id as string;

    socket.io.engine.close();
    await away;
    server.io.to(id).emit("missed", 1);
    server.io.to(id).emit("missed", Buffer.from([2]));
    await missed;

    expect(seen).toEqual([1, Buffer.from([2])]);
  });

  it("52: is a stranger again after it left by itself", async () => {
    const server = await startServer({ connectionStateRecovery: {} });
    const { socket, peer } = await connectPair(server, impatient);
    const received = nextEvent(socket, "event");
    peer.emit("event");
    await received;
    const { id } = socket;
    const away = nextEvent(peer, "disconnect");
    const connected = nextEvent(socket, "connect");

    socket.disconnect();
    await away;
    socket.connect();
    await connected;

    expect(socket.recovered).toBe(false);
    expect(socket.id).not.toBe(id);
  });
});
