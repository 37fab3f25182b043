import { setTimeout as delay } from "node:timers/promises";
import { limitEvents, rateLimit, type Limiter } from "@plugboard/rate-limit";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Socket } from "@plugboard/server";
import { nextEvent } from "../support/next-event.js";
import { bothClients } from "../support/both-clients.js";
import { serveLimited } from "./limited-server.js";

const refused = {
  status: "error",
  code: "SIO_RATE_LIMITED",
  message: "Too many events",
  data: { retryAfterMs: expect.any(Number) as number },
};

/** A limiter whose answers come after so many milliseconds, the next one for each call; `false` for no points left. */
function scripted(answers: readonly { readonly ms: number; readonly allows: boolean }[]): Limiter {
  let calls = 0;
  return {
    async consume() {
      const { ms, allows } = answers[calls++]!;
      await delay(ms);
      if (!allows) throw { msBeforeNext: 1_000 };
      return { msBeforeNext: 1_000 };
    },
  };
}

/** Hears everything a socket hears, by its listeners, until it is told `end`. */
function record(socket: Socket): Promise<unknown[]> {
  return new Promise((resolve) => {
    const heard: unknown[] = [];
    socket.on("say", (value, ack) => {
      heard.push(value);
      ack?.(value);
    });
    socket.on("error", ({ code, data }: Error & { code?: string; data?: unknown }) => heard.push({ code, data }));
    socket.on("disconnect", (reason) => {
      heard.push(reason);
      resolve(heard);
    });
    socket.on("end", () => resolve(heard));
  });
}

afterEach(() => void vi.useRealTimers());

const heardRefusal = { code: refused.code, data: refused.data };

describe.each(bothClients)("limitEvents, with $name", (client) => {
  it("answers the event beyond the limit with an error, and tells the server", async () => {
    const { io, url, failures } = await serveLimited();
    limitEvents(io, { points: 2, duration: 60 });
    const connected = nextEvent<[Socket]>(io, "connection");
    const heard = connected.then(([socket]) => record(socket));
    const ada = await client.connect(url);
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    expect(await ada.emitWithAck("say", 2)).toBe(2);
    const answer = (await ada.emitWithAck("say", 3)) as typeof refused;
    expect(answer).toEqual(refused);
    expect(answer.data.retryAfterMs).toBeGreaterThan(50_000);
    expect(answer.data.retryAfterMs).toBeLessThanOrEqual(60_000);
    ada.emit("say", 4);
    expect(await ada.emitWithAck("say", 5)).toEqual(refused);
    ada.disconnect();
    expect(await heard).toEqual([1, 2, ...Array(3).fill(heardRefusal), "client namespace disconnect"]);
    expect(failures).toEqual([]);
  });

  it("lets events through again when the window is over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { io, url } = await serveLimited({ pingInterval: 3_600_000 });
    limitEvents(io, { points: 1, duration: 60 });
    io.on("connection", (socket) => socket.on("say", (value, ack) => ack(value)));
    const ada = await client.connect(url);
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    const { data } = (await ada.emitWithAck("say", 2)) as typeof refused;
    vi.advanceTimersByTime(data.retryAfterMs);
    expect(await ada.emitWithAck("say", 3)).toBe(3);
  });

  it("closes the connection of who goes on, after the answer, when told so", async () => {
    const { io, url } = await serveLimited();
    limitEvents(io, { points: 1, duration: 60, onLimit: "disconnect" });
    const heard = nextEvent<[Socket]>(io, "connection").then(([socket]) => record(socket));
    const ada = await client.connect(url);
    const left = nextEvent<[string]>(ada, "disconnect");
    ada.emit("say", 1);
    const answer = ada.emitWithAck("say", 2);
    ada.emit("say", 3);
    expect(await answer).toEqual(refused);
    expect((await left)[0]).toBe("io server disconnect");
    expect(await heard).toEqual([1, heardRefusal, "server namespace disconnect"]);
  });

  it("counts by socket, by user or by address", async () => {
    const { io, url } = await serveLimited();
    limitEvents(io.of("/socket"), { points: 1, duration: 60 });
    limitEvents(io.of("/user"), { points: 1, duration: 60, by: "user" });
    limitEvents(io.of("/address"), { points: 1, duration: 60, by: "address" });
    const echo = (socket: Socket): void => {
      socket.data.user = { id: socket.handshake.auth["id"] as number };
      socket.on("say", (value, ack) => ack(value));
    };
    for (const name of ["/socket", "/user", "/address"]) io.of(name).on("connection", echo);
    const say = async (namespace: string, id: number): Promise<unknown> => {
      const speaker = await client.connect(url + namespace, { auth: { id } });
      return speaker.emitWithAck("say", "hi");
    };
    expect([await say("/socket", 1), await say("/socket", 1)]).toEqual(["hi", "hi"]);
    expect([await say("/user", 1), await say("/user", 2), await say("/user", 1)]).toEqual(["hi", "hi", refused]);
    expect([await say("/address", 1), await say("/address", 2)]).toEqual(["hi", refused]);
  });

  it("counts events that have a rule of their own for that and for the general one", async () => {
    const { io, url } = await serveLimited();
    limitEvents(io, { points: 3, duration: 60, events: { rare: { points: 1, duration: 120 } } });
    io.on("connection", (socket) => {
      for (const event of ["rare", "common"]) socket.on(event, (value, ack) => ack(value));
    });
    const ada = await client.connect(url);
    expect(await ada.emitWithAck("rare", 1)).toBe(1);
    expect(await ada.emitWithAck("common", 2)).toBe(2);
    const answer = (await ada.emitWithAck("rare", 3)) as typeof refused;
    expect(answer).toEqual(refused);
    expect(answer.data.retryAfterMs).toBeGreaterThan(60_000);
    expect(await ada.emitWithAck("common", 4)).toEqual(refused);
  });

  it("limits all namespaces of a server, dynamic ones too, and recovered sockets", async () => {
    const { io, url } = await serveLimited({ connectionStateRecovery: {} });
    limitEvents(io, { points: 1, duration: 60 });
    const echo = (socket: Socket): void => void socket.on("say", (value, ack) => ack(value));
    io.of(/^\/room-\d$/).on("connection", echo);
    io.on("connection", echo);
    const inRoom = await client.connect(`${url}/room-1`);
    expect(await inRoom.emitWithAck("say", 1)).toBe(1);
    expect(await inRoom.emitWithAck("say", 2)).toEqual(refused);
    const ada = await client.connect(url, { reconnection: true, reconnectionDelay: 10 });
    // Recovery needs an offset.
    const told = nextEvent(ada, "told");
    io.emit("told");
    await told;
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    const back = nextEvent(ada, "connect");
    ada.io.engine.close();
    await back;
    expect(ada.recovered).toBe(true);
    expect(await ada.emitWithAck("say", 2)).toEqual(refused);
  });

  it("keeps the order of the events, whatever time the limiter takes for each", async () => {
    const { io, url } = await serveLimited();
    const limiter = scripted([
      { ms: 40, allows: true },
      { ms: 0, allows: false },
      { ms: 20, allows: true },
      { ms: 0, allows: true },
    ]);
    limitEvents(io, { limiter });
    const heard = nextEvent<[Socket]>(io, "connection").then(([socket]) => record(socket));
    const ada = await client.connect(url);
    ada.emit("say", 1);
    const answer = ada.emitWithAck("say", 2);
    ada.emit("say", 3);
    ada.emit("end");
    expect(await answer).toEqual(refused);
    expect(await heard).toEqual([1, heardRefusal, 3]);
  });

  it("drops what still waits for the limiter when its socket goes", async () => {
    const { io, url, failures } = await serveLimited();
    let answer = (): void => {};
    const limiter: Limiter = {
      consume: () => new Promise((resolve) => (answer = () => resolve({ msBeforeNext: 1 }))),
    };
    limitEvents(io, { limiter });
    const connected = nextEvent<[Socket]>(io, "connection");
    const ada = await client.connect(url);
    const [socket] = await connected;
    const heard = record(socket);
    ada.emit("say", 1);
    ada.disconnect();
    expect(await heard).toEqual(["client namespace disconnect"]);
    answer();
    await new Promise(setImmediate);
    expect(await heard).toEqual(["client namespace disconnect"]);
    expect(failures).toEqual([]);
  });

  it("tells the server also where a handler would have answered", async () => {
    const { io, url } = await serveLimited();
    limitEvents(io, { points: 1, duration: 60 });
    const errors: unknown[] = [];
    io.on("connection", (socket) => {
      socket.handle("say", (value: unknown) => value);
      socket.on("error", (error) => errors.push(error));
    });
    const ada = await client.connect(url);
    expect(await ada.emitWithAck("say", 1)).toBe(1);
    expect(await ada.emitWithAck("say", 2)).toEqual(refused);
    expect(errors).toMatchObject([{ name: "EventError", code: "SIO_RATE_LIMITED" }]);
  });
});

describe.each(bothClients)("rateLimit as a step, with $name", (client) => {
  it("limits the handlers that share it, each socket for itself, and no others", async () => {
    const { io, url } = await serveLimited();
    const step = rateLimit({ points: 2, duration: 60 });
    io.on("connection", (socket) => {
      socket.handle("a", step, () => "a");
      socket.handle("b", step, () => "b");
      socket.handle("c", () => "c");
    });
    const ada = await client.connect(url);
    const bob = await client.connect(url);
    expect([await ada.emitWithAck("a"), await ada.emitWithAck("b")]).toEqual(["a", "b"]);
    expect([await ada.emitWithAck("a"), await ada.emitWithAck("c")]).toEqual([refused, "c"]);
    expect(await bob.emitWithAck("a")).toBe("a");
  });

  it("keeps the order of its events, whatever time the limiter takes for each", async () => {
    const { io, url } = await serveLimited();
    const limiter = scripted([
      { ms: 40, allows: true },
      { ms: 0, allows: true },
      { ms: 20, allows: false },
      { ms: 0, allows: true },
    ]);
    const step = rateLimit({ limiter });
    const heard: unknown[] = [];
    io.on("connection", (socket) => socket.handle("say", step, (value: unknown) => heard.push(value)));
    const ada = await client.connect(url);
    const answers = await Promise.all([1, 2, 3, 4].map((value) => ada.emitWithAck("say", value)));
    expect(answers).toEqual([1, 2, refused, 3]);
    expect(heard).toEqual([1, 2, 4]);
  });
});

it("a rule for a name holds for the number of the same digits, which its listeners hear too", async () => {
  const { io, url } = await serveLimited();
  limitEvents(io, { points: 100, duration: 60, events: { "1": { points: 1, duration: 60 } } });
  const connected = nextEvent<[Socket]>(io, "connection");
  const ada = await bothClients[0]!.connect(url);
  const [socket] = await connected;
  socket.on("1", (ack: (answer: string) => void) => ack("heard"));
  expect(await ada.emitWithAck("1")).toBe("heard");
  expect(await ada.emitWithAck(1 as unknown as string)).toEqual(refused);
});
