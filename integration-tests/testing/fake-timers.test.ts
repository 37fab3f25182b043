import { Server, type ServerOptions } from "@plugboard/server";
import { closeTestClients, testClient } from "@plugboard/testing";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

const PING_INTERVAL_MS = 25_000;
const PING_TIMEOUT_MS = 20_000;

function serve(options: Partial<ServerOptions> = {}): Server {
  const io = new Server(options);
  onTestFinished(() => io.close());
  return io;
}

/** Resolves with the arguments of the next event. */
function next(emitter: { once(event: string, listener: (...args: unknown[]) => void): unknown }, event: string) {
  return new Promise<unknown[]>((resolve) => emitter.once(event, (...args) => resolve(args)));
}

type Faked = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>["toFake"];

const clocks: Array<{ clock: string; toFake: Faked }> = [
  { clock: "all that Vitest fakes by default", toFake: undefined },
  {
    clock: "all but setImmediate",
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  },
  {
    clock: "the timers and Date alone",
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
  },
  { clock: "setTimeout alone", toFake: ["setTimeout", "clearTimeout"] },
  {
    clock: "microtasks too",
    toFake: ["setTimeout", "clearTimeout", "setInterval", "Date", "performance", "queueMicrotask"],
  },
];

const travels = [
  { travel: "polling", transports: ["polling"] },
  { travel: "websocket", transports: ["websocket"] },
  { travel: "the upgrade", transports: ["polling", "websocket"] },
];

describe.each(clocks)("with a fake clock: $clock", ({ toFake }) => {
  beforeEach(() => void vi.useFakeTimers(toFake && { toFake }));
  afterEach(async () => {
    await closeTestClients();
    vi.useRealTimers();
  });

  describe.each(travels)("over $travel", ({ transports }) => {
    it("connects, and is answered, without any time passing", async () => {
      const io = serve();
      io.on("connection", (socket) => socket.on("double", (n: number, answer) => answer(2 * n)));
      const client = await testClient(io, "/", { transports });
      expect(await client.emitWithAck("double", 21)).toBe(42);
    });

    it("stays connected for hours, by pings", async () => {
      const io = serve();
      const client = await testClient(io, "/", { transports });
      let pings = 0;
      client.io.on("ping", () => pings++);
      await vi.advanceTimersByTimeAsync(100 * PING_INTERVAL_MS);
      expect(pings).toBe(100);
      expect(client.connected).toBe(true);
    });

    it("is one of a hundred that stay connected", async () => {
      const io = serve();
      const clients = await Promise.all(Array.from({ length: 100 }, () => testClient(io, "/", { transports })));
      await vi.advanceTimersByTimeAsync(4 * PING_INTERVAL_MS);
      expect(clients.filter((client) => client.connected).length).toBe(100);
    });

    it("is given up by the server when its pongs stay away", async () => {
      const io = serve();
      const client = await testClient(io, "/", { transports, reconnection: false });
      const [socket] = io.sockets.sockets.values();
      const left = next(socket as never, "disconnect");
      // It is not there any more, without a word.
      client.io.engine.transport.send = () => {};
      await vi.advanceTimersByTimeAsync(PING_INTERVAL_MS + PING_TIMEOUT_MS - 1);
      expect(socket?.connected).toBe(true);
      await vi.advanceTimersByTimeAsync(1);
      expect((await left)[0]).toBe("ping timeout");
    });

    it("gives the server up when its pings stay away", async () => {
      const io = serve();
      const client = await testClient(io, "/", { transports, reconnection: false });
      const [socket] = io.sockets.sockets.values();
      (socket as unknown as { conn: { sendPacket(): void } }).conn.sendPacket = () => {};
      const left = next(client, "disconnect");
      await vi.advanceTimersByTimeAsync(PING_INTERVAL_MS + PING_TIMEOUT_MS - 1);
      expect(client.connected).toBe(true);
      await vi.advanceTimersByTimeAsync(1);
      expect((await left)[0]).toBe("ping timeout");
    });

    it("comes back after the delay that it was told", async () => {
      const io = serve();
      const client = await testClient(io, "/", {
        transports,
        randomizationFactor: 0,
        reconnectionDelay: 60_000,
        reconnectionDelayMax: 60_000,
      });
      const lost = next(client, "disconnect");
      io.disconnectSockets(true);
      client.io.engine.close();
      await lost;
      client.connect();
      await vi.advanceTimersByTimeAsync(59_999);
      expect(client.connected).toBe(false);
      const back = next(client, "connect");
      await vi.advanceTimersByTimeAsync(1);
      await back;
    });

    it("waits longer and longer before it tries again", async () => {
      let isOpen = true;
      const io = serve({ allowRequest: (_request, decide) => decide(null, isOpen) });
      const client = await testClient(io, "/", { transports, randomizationFactor: 0 });
      isOpen = false;
      let attempts = 0;
      client.io.on("reconnect_attempt", () => attempts++);
      client.io.engine.close();
      for (const [delayMs, expected] of [
        [1000, 1],
        [2000, 2],
        [4000, 3],
        [5000, 4],
        [5000, 5],
      ] as const) {
        await vi.advanceTimersByTimeAsync(delayMs - 1);
        expect(attempts).toBe(expected - 1);
        await vi.advanceTimersByTimeAsync(1);
        expect(attempts).toBe(expected);
      }
      isOpen = true;
      const back = next(client, "connect");
      await vi.advanceTimersByTimeAsync(5000);
      await back;
    });

    it("waits for an acknowledgement as long as it was told, and the server too", async () => {
      const io = serve();
      const client = await testClient(io, "/", { transports });
      const outcome = Promise.allSettled([
        client.timeout(10_000).emitWithAck("nobody answers"),
        io.timeout(10_000).emitWithAck("nobody answers"),
      ]);
      let isOver = false;
      void outcome.then(() => (isOver = true));
      await vi.advanceTimersByTimeAsync(9_999);
      expect(isOver).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await outcome).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    });

    it("is closed with its server without any time passing", async () => {
      const io = new Server();
      const client = await testClient(io, "/", { transports });
      const lost = next(client, "disconnect");
      await io.close();
      await lost;
    });
  });
});
