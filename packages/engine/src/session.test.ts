import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryRequest } from "@plugboard/testkit";
import type { HttpAnswer } from "./http-port.js";
import { Engine, type EngineOptions, type Session } from "./index.js";

const BASE = "/engine.io/?EIO=4&transport=polling";

/** A session over polling without a network: the far end is three functions. */
async function open(options?: EngineOptions) {
  const engine = new Engine(options);
  let session: Session | undefined;
  engine.once("connection", (opened: Session) => (session = opened));
  const answer = await engine.handle(new MemoryRequest(BASE));
  const opened = session as unknown as Session;
  const url = `${BASE}&sid=${opened.id}`;
  const poll = (): Promise<HttpAnswer> => engine.handle(new MemoryRequest(url));
  const written = async (): Promise<void> => (await poll()).done();
  const post = (body: string): Promise<HttpAnswer> => engine.handle(new MemoryRequest(url, { method: "POST", body }));
  const closed: unknown[][] = [];
  opened.on("close", (...details: unknown[]) => closed.push(details));
  return { engine, session: opened, handshake: answer, poll, written, post, closed };
}

describe("a session", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("begins with a handshake of exactly five fields, in order", async () => {
    const { handshake, session } = await open();
    expect(handshake.body).toBe(
      `0{"sid":"${session.id}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`,
    );
    expect(session.id).toHaveLength(20);
  });

  it("sends the initial packet along with the handshake", async () => {
    const { handshake } = await open({ initialPacket: "hi" });
    expect(String(handshake.body).split("\x1e")[1]).toBe("4hi");
  });

  it("offers no upgrade when upgrades are switched off or there is nothing to upgrade to", async () => {
    for (const options of [{ allowUpgrades: false }, { transports: ["polling"] }] satisfies EngineOptions[]) {
      expect((await open(options)).handshake.body).toContain('"upgrades":[]');
    }
  });

  it("pings after the interval and ends without a pong after the timeout", async () => {
    const { session, poll, closed } = await open();
    vi.advanceTimersByTime(24_990);
    expect(session.writeBuffer).toHaveLength(0);
    vi.advanceTimersByTime(20);
    expect((await poll()).body).toBe("2");
    vi.advanceTimersByTime(19_970);
    expect(closed).toEqual([]);
    vi.advanceTimersByTime(40);
    expect(closed).toEqual([["ping timeout", undefined]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lives on with each pong, and pings again", async () => {
    const { session, poll, post, closed } = await open();
    let heartbeats = 0;
    session.on("heartbeat", () => heartbeats++);
    for (let round = 0; round < 5; round++) {
      vi.advanceTimersByTime(25_010);
      expect((await poll()).body).toBe("2");
      await post("3");
    }
    expect(heartbeats).toBe(5);
    expect(closed).toEqual([]);
  });

  it("gives a client that sends something else instead of the pong the timeout again, once per ping", async () => {
    const { post, closed } = await open();
    vi.advanceTimersByTime(25_010);
    vi.advanceTimersByTime(19_000);
    await post("4still here");
    vi.advanceTimersByTime(19_000);
    await post("4still here");
    expect(closed).toEqual([]);
    vi.advanceTimersByTime(1_010);
    expect(closed).toEqual([["ping timeout", undefined]]);
  });

  it("takes a pong that nobody asked for", async () => {
    const { post, closed } = await open();
    await post("3");
    expect(closed).toEqual([]);
  });

  it("ends when the client sends a ping: that is the server's part", async () => {
    const { post, closed } = await open();
    await post("2");
    expect(closed).toMatchObject([
      ["transport error", { type: "TransportError", message: "invalid heartbeat direction" }],
    ]);
  });

  it("ends with a parse error when a packet cannot be read, and answers that post", async () => {
    const { engine, post, poll, closed, session } = await open();
    const pending = poll();
    expect((await post("zzz")).body).toBe("ok");
    expect((await pending).body).toBe("1");
    expect(closed).toEqual([["parse error", undefined]]);
    expect(engine.clients[session.id]).toBeUndefined();
    expect(engine.clientsCount).toBe(0);
    expect(await poll()).toMatchObject({ status: 400, body: '{"code":1,"message":"Session ID unknown"}' });
  });

  it("delivers what is queued before an orderly close ends it", async () => {
    const { session, poll, closed } = await open();
    session.send("a");
    session.send("b");
    session.close();
    expect(session.readyState).toBe("closing");
    session.send("too late");
    expect((await poll()).body).toBe("4a\x1e4b");
    expect(closed).toEqual([]);
    expect((await poll()).body).toBe("6\x1e1");
    expect(closed).toEqual([["forced close", undefined]]);
  });

  it("answers the pending poll with the first of several messages and the next poll with the others", async () => {
    const { session, poll } = await open();
    const pending = poll();
    session.send("a");
    session.send("b");
    session.send("c");
    expect((await pending).body).toBe("4a");
    expect((await poll()).body).toBe("4b\x1e4c");
  });

  it("drops what is queued when it is discarded, also while it is closing", async () => {
    const { session, closed, poll } = await open();
    session.send("never sent");
    session.close();
    session.close(true);
    expect(closed).toEqual([["forced close", undefined]]);
    expect((await poll()).status).toBe(400);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps its heartbeat while it is closing: a client that is gone ends as a ping timeout", async () => {
    const { session, closed } = await open({ pingInterval: 1000, pingTimeout: 1000 });
    session.close();
    vi.advanceTimersByTime(2_100);
    expect(closed).toEqual([["ping timeout", undefined]]);
  });

  it.each(["with something queued", "with nothing queued"])(
    "ends 30 s after an orderly close was asked for, %s",
    async (how) => {
      const { session, post, closed } = await open({ pingInterval: 100_000 });
      if (how === "with something queued") session.send("never fetched");
      session.close();
      await post("3");
      vi.advanceTimersByTime(29_990);
      expect(closed).toEqual([]);
      vi.advanceTimersByTime(20);
      expect(closed).toEqual([["forced close", undefined]]);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("leaves no timer behind when the client closes while an orderly close waits for its poll", async () => {
    const { session, post, closed } = await open();
    session.close();
    await post("1");
    expect(closed).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not kept alive by pongs that nobody asked for", async () => {
    const { post, closed } = await open({ pingInterval: 1000, pingTimeout: 1000 });
    vi.advanceTimersByTime(900);
    await post("3");
    vi.advanceTimersByTime(110);
    vi.advanceTimersByTime(1010);
    expect(closed).toEqual([["ping timeout", undefined]]);
  });

  it("shows what was not sent to listeners of close, and forgets it afterwards", async () => {
    const { engine, session } = await open();
    let unsent = -1;
    session.on("close", () => (unsent = session.writeBuffer.length));
    session.send("a");
    session.send("b");
    const url = `${BASE}&sid=${session.id}`;
    await engine.handle(new MemoryRequest(url, { method: "POST", body: "zzz" }));
    expect(unsent).toBe(2);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(session.writeBuffer).toHaveLength(0);
  });

  it("calls back in order once messages are written, and never for those that were not", async () => {
    const { session, poll } = await open();
    const calls: string[] = [];
    session.send("a", undefined, (transport) => calls.push(`a ${transport.name}`));
    session.send("b", () => calls.push("b"));
    const answer = await poll();
    session.send("c", () => calls.push("c"));
    expect(calls).toEqual([]);
    answer.done();
    session.close(true);
    expect(calls).toEqual(["a polling", "b"]);
  });

  it("emits packetCreate with normalised options, then flush and drain with an empty buffer", async () => {
    const { engine, session, poll } = await open();
    const log: unknown[] = [];
    session.on("packetCreate", (packet: { type: string; options: unknown }) => log.push(packet.type, packet.options));
    session.on("flush", (batch: unknown[]) => log.push(`flush ${batch.length}`));
    session.on("drain", () => log.push(`drain ${session.writeBuffer.length}`));
    engine.on("flush", (of: Session, batch: unknown[]) => log.push(`engine flush ${of === session} ${batch.length}`));
    engine.on("drain", (of: Session) => log.push(`engine drain ${of === session}`));
    void poll();
    session.send("a");
    session.send("b", { compress: false });
    expect(log).toEqual([
      "message",
      { compress: true },
      "flush 1",
      "engine flush true 1",
      "drain 0",
      "engine drain true",
      "message",
      { compress: false },
    ]);
  });

  it("sends what a listener of flush sends behind what it was told of, and nothing twice", async () => {
    const { session, poll } = await open();
    const calls: string[] = [];
    session.once("flush", () => session.send("second", () => calls.push("second")));
    const pending = poll();
    session.send("first", () => calls.push("first"));
    const answer = await pending;
    expect(answer.body).toBe("4first\x1e4second");
    answer.done();
    expect(calls).toEqual(["first", "second"]);
  });

  it("sends what it has told of when a listener of flush closes the session", async () => {
    const { session, poll, closed } = await open();
    session.once("flush", () => session.close());
    const pending = poll();
    session.send("first");
    expect((await pending).body).toBe("4first");
    expect((await poll()).body).toBe("6\x1e1");
    expect(closed).toEqual([["forced close", undefined]]);
  });

  it("emits data, then message, and packet for every packet", async () => {
    const { session, post } = await open();
    const log: unknown[] = [];
    session.on("packet", (packet: unknown) => log.push(packet));
    session.on("data", (data: unknown) => log.push(["data", data]));
    session.on("message", (data: unknown) => log.push(["message", data]));
    await post("4a\x1e3");
    expect(log).toEqual([{ type: "message", data: "a" }, ["data", "a"], ["message", "a"], { type: "pong" }]);
  });

  it("delivers binary in both directions as the bytes of the view", async () => {
    const { session, poll, post } = await open();
    const received: unknown[] = [];
    session.on("message", (data: unknown) => received.push(data));
    await post("bAQIDBA==");
    expect(received).toEqual([Buffer.from([1, 2, 3, 4])]);
    session.send(new Uint16Array([0, 0x0201, 0x0403]).subarray(1));
    expect((await poll()).body).toBe("bAQIDBA==");
  });
});

describe("a client that takes its messages too slowly", () => {
  const LIMITS = { maxBufferedPackets: 3, maxBufferedBytes: 1000 };
  const send = (session: Session, count: number, data = "x"): void => {
    for (let index = 0; index < count; index++) session.send(data);
  };

  it("is disconnected when more packets wait for it than may", async () => {
    const { session, closed } = await open(LIMITS);
    send(session, 3);
    expect(session.readyState).toBe("open");
    send(session, 1);
    expect(closed).toMatchObject([["transport error", { message: "slow consumer" }]]);
  });

  it("is disconnected when more bytes wait for it than may", async () => {
    const { session, handshake, closed } = await open(LIMITS);
    handshake.done();
    send(session, 2, "x".repeat(500));
    expect([session.readyState, session.bufferedAmount]).toEqual(["open", 1000]);
    send(session, 1);
    expect(closed).toHaveLength(1);
  });

  it("does not count what has left", async () => {
    const { session, handshake, written } = await open(LIMITS);
    handshake.done();
    for (let round = 0; round < 5; round++) {
      send(session, 3);
      await written();
      expect(session.bufferedAmount).toBe(0);
    }
    expect(session.readyState).toBe("open");
  });

  it("is disconnected when it polls on without reading the answers", async () => {
    const { session, poll, closed } = await open(LIMITS);
    for (let round = 0; round < 3; round++) {
      session.send("x".repeat(500));
      await poll();
    }
    expect(closed).toMatchObject([["transport error", { message: "slow consumer" }]]);
  });

  it("is not read from until it has caught up, when the policy is to pause", async () => {
    const { session, poll, post } = await open({ ...LIMITS, slowConsumer: "pause" });
    let isAnswered = false;
    send(session, 4);
    const answer = post("4more work").then(() => (isAnswered = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAnswered).toBe(false);
    await poll();
    void poll();
    await answer;
    expect(session.readyState).toBe("open");
  });

  it.each(["pause", "drop volatile"] as const)(
    "is disconnected at twice the limit with the policy %s",
    async (slowConsumer) => {
      const { session, closed } = await open({ ...LIMITS, slowConsumer });
      send(session, 6);
      expect(session.readyState).toBe("open");
      send(session, 1);
      expect(closed).toHaveLength(1);
    },
  );

  it("leaves a post that waits for it answered when it is disconnected", async () => {
    const { session, post } = await open({ ...LIMITS, slowConsumer: "pause" });
    send(session, 4);
    const answer = post("4more work");
    await new Promise((resolve) => setImmediate(resolve));
    session.close(true);
    expect((await answer).body).toBe("ok");
  });
});
