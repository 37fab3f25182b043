import { expect, it, vi } from "vitest";
import { nextEvent } from "../../support/next-event.js";
import { clientOnlySuite, clientSuite } from "../support/client-suite.js";
import { happens, millisecondsUntil, stopTimers } from "../../support/fake-clock.js";
import { recorded, turns } from "../support/observe.js";
import { refusingUrl } from "../support/unreachable.js";

/** Longer than any delay of a test that is not to happen. */
const LONG_MS = 60_000;

clientOnlySuite("attempts to come back", ({ open, openManager }) => {
  it("13: waits longer before each attempt", async () => {
    stopTimers();
    const socket = open(await refusingUrl(), { reconnectionDelay: 100, randomizationFactor: 0.2 });
    const delays: number[] = [];

    for (let attempt = 1; attempt <= 4; attempt++) {
      await happens(socket.io, "error");
      delays.push(await millisecondsUntil(socket.io, "reconnect_attempt"));
    }

    const [first = 0, second = 0, third = 0, fourth = 0] = delays;
    expect(first).toBeLessThan(second);
    expect(second).toBeLessThan(third);
    expect(third).toBeLessThan(fourth);
    for (const [index, delay] of delays.entries()) {
      expect(Math.abs(delay / (100 * 2 ** index) - 1)).toBeLessThanOrEqual(0.21);
    }
  });

  it("14: makes no attempt when it is disconnected while it hears of an error", async () => {
    stopTimers();
    const socket = open(await refusingUrl());
    const attempts = recorded(socket.io, "reconnect_attempt");
    socket.io.on("error", () => socket.disconnect());

    await happens(socket.io, "error");
    vi.advanceTimersByTime(LONG_MS);

    expect(attempts).toEqual([]);
  });

  it("15: makes no attempt when it is disconnected as the attempt begins", async () => {
    stopTimers();
    const socket = open(await refusingUrl());
    const attempts = recorded(socket.io, "reconnect_attempt");
    await happens(socket.io, "error");
    const { engine } = socket.io;
    socket.io.on("reconnect_attempt", () => socket.disconnect());

    await millisecondsUntil(socket.io, "reconnect_attempt");
    vi.advanceTimersByTime(LONG_MS);

    expect(attempts).toEqual([[1]]);
    expect(socket.io.engine).toBe(engine);
  });

  it("15: goes on with its attempts when it is disconnected and connected as one begins", async () => {
    const socket = open(await refusingUrl(), { reconnectionDelay: 1, reconnectionDelayMax: 2 });
    const attempts = recorded(socket.io, "reconnect_attempt");
    socket.io.on("reconnect_attempt", () => socket.disconnect().connect());

    while (attempts.length < 4) await nextEvent(socket.io, "reconnect_attempt");

    expect(attempts.length).toBeGreaterThanOrEqual(4);
  });

  it("21: makes no further attempt when reconnection is turned off as one has failed", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl());
    const attempts = recorded(manager, "reconnect_attempt");
    await happens(manager, "error");
    await millisecondsUntil(manager, "reconnect_attempt");
    manager.on("reconnect_error", () => manager.reconnection(false));

    await happens(manager, "reconnect_error");
    vi.advanceTimersByTime(LONG_MS);

    expect(attempts).toEqual([[1]]);
    expect(manager.reconnection()).toBe(false);
  });

  it("23: is not hurried by a namespace that is added between the attempts", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl(), {
      reconnectionAttempts: 2,
      reconnectionDelay: 100,
      randomizationFactor: 0,
    });
    manager.socket("/");
    const attempts = recorded(manager, "reconnect_attempt");
    await happens(manager, "error");
    vi.advanceTimersByTime(60);

    manager.socket("/late");

    expect(await millisecondsUntil(manager, "reconnect_attempt")).toBe(40);
    await happens(manager, "error");
    expect(await millisecondsUntil(manager, "reconnect_attempt")).toBe(200);
    await happens(manager, "reconnect_failed");
    expect(attempts).toEqual([[1], [2]]);
  });

  it("24: waits no longer than reconnectionDelayMax, however long reconnectionDelay is", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl(), { reconnectionDelayMax: 100, randomizationFactor: 0 });

    await happens(manager, "error");

    expect(await millisecondsUntil(manager, "reconnect_attempt")).toBe(100);
  });
});

clientSuite("timers", ({ startServer, open }) => {
  it("25: come from the globals, so that a fake clock drives reconnection", async () => {
    const server = await startServer();
    stopTimers();
    const socket = open(server.url, { reconnectionDelay: 1000, randomizationFactor: 0 });
    await happens(socket, "connect");

    socket.io.engine.close();

    expect(await millisecondsUntil(socket.io, "reconnect_attempt")).toBe(1000);
    await happens(socket, "connect");
  });

  it("25: are those from before any fake ones, with useNativeTimers", async () => {
    const server = await startServer();
    stopTimers();
    const socket = open(server.url, { reconnectionDelay: 5, randomizationFactor: 0, useNativeTimers: true });
    await happens(socket, "connect");

    socket.io.engine.close();
    const connected = recorded(socket, "connect");
    while (connected.length === 0) await turns(1);

    expect(connected).toHaveLength(1);
  });
});

clientSuite("connecting", ({ startServer, open }) => {
  it("33: says nothing of errors when it is disconnected while it opens", async () => {
    stopTimers();
    const socket = open(await refusingUrl(), { timeout: 1000 });
    const errors = [recorded(socket.io, "error"), recorded(socket, "connect_error")];
    const { engine } = socket.io;
    const closes = recorded(engine, "close");

    socket.disconnect();
    expect(closes).toHaveLength(1);
    await turns(20);
    vi.advanceTimersByTime(LONG_MS);
    await turns(20);

    expect(errors).toEqual([[], []]);
  });

  it("33: connects when it is disconnected and connected while it opens", async () => {
    const server = await startServer();
    const socket = open(server.url);
    const errors = recorded(socket, "connect_error");

    socket.disconnect();
    socket.connect();
    await nextEvent(socket, "connect");

    expect(errors).toEqual([]);
    expect(server.io.sockets.sockets.size).toBe(1);
  });
});
