import { expect, it, vi } from "vitest";
import { clientOnlySuite, clientSuite } from "../support/client-suite.js";
import { happens, millisecondsUntil, stopTimers } from "../../support/fake-clock.js";
import { recorded } from "../support/observe.js";
import { refusingUrl } from "../support/unreachable.js";

const steady = { reconnectionDelay: 100, randomizationFactor: 0 };
/** Longer than any delay of a test that is not to happen. */
const LONG_MS = 60_000;

clientOnlySuite("reconnection that is changed between attempts", ({ openManager, oursOnly }) => {
  it("makes no attempt once it is off", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl(), steady);
    const attempts = recorded(manager, "reconnect_attempt");
    await happens(manager, "error");

    manager.reconnection(false);
    vi.advanceTimersByTime(LONG_MS);

    expect(attempts).toEqual([]);
  });

  it("makes no attempt when it is turned off as that attempt begins", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl(), steady);
    await happens(manager, "error");
    const { engine } = manager;
    manager.on("reconnect_attempt", () => manager.reconnection(false));

    await millisecondsUntil(manager, "reconnect_attempt");
    vi.advanceTimersByTime(LONG_MS);

    expect(manager.engine).toBe(engine);
  });

  oursOnly("keeps to its delay when it is turned off and on again", "it never tries again", async () => {
    stopTimers();
    const manager = openManager(await refusingUrl(), steady);
    await happens(manager, "error");
    vi.advanceTimersByTime(60);

    manager.reconnection(false);
    manager.reconnection(true);

    expect(await millisecondsUntil(manager, "reconnect_attempt")).toBe(40);
    await happens(manager, "reconnect_error");
    expect(await millisecondsUntil(manager, "reconnect_attempt")).toBe(200);
  });
});

clientSuite("reconnection that was off", ({ client, startServer, open }) => {
  it("works again after an opening by hand (unlike with the reference, which stays in its back-off)", async () => {
    const server = await startServer();
    stopTimers();
    const socket = open(server.url, steady);
    await happens(socket, "connect");
    socket.io.engine.close();
    socket.io.reconnection(false);
    vi.advanceTimersByTime(LONG_MS);
    socket.io.reconnection(true);

    socket.connect();

    expect(socket.io.engine.readyState).toBe(client.ours ? "opening" : "closed");
    if (!client.ours) return;
    await happens(socket, "connect");
    socket.io.engine.close();
    expect(await millisecondsUntil(socket.io, "reconnect_attempt")).toBe(100);
    await happens(socket, "connect");
  });
});
