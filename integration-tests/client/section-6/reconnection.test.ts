import { expect, it } from "vitest";
import { listen } from "../../support/listening-server.js";
import { nextEvent } from "../../support/next-event.js";
import { clientSuite } from "../support/client-suite.js";
import { impatient, recorded, recordedNames, turns } from "../support/observe.js";
import { refusingUrl, silentServer } from "../support/unreachable.js";

clientSuite("reconnection", ({ server: implementation, startServer, open, connect, openManager }) => {
  it("9: comes back when its engine is closed by hand", async () => {
    const server = await startServer();
    const socket = await connect(server.url, impatient);
    const gone = nextEvent(socket, "disconnect");
    const back = nextEvent(socket.io, "reconnect");
    const connected = nextEvent(socket, "connect");

    socket.io.engine.close();

    expect((await gone)[0]).toBe("forced close");
    expect(await back).toEqual([1]);
    await connected;
  });

  it("10: comes back by itself again after it was disconnected and connected by hand", async () => {
    const server = await startServer();
    const socket = await connect(server.url, impatient);
    const connected = nextEvent(socket, "connect");
    socket.disconnect().connect();
    await connected;
    const back = nextEvent(socket.io, "reconnect");

    socket.io.engine.close();

    expect(await back).toEqual([1]);
  });

  it("11: tries as often again when it is connected by hand after the last attempt", async () => {
    const socket = open(await refusingUrl(), { ...impatient, reconnectionAttempts: 2 });
    const attempts = recorded(socket.io, "reconnect_attempt");
    await nextEvent(socket.io, "reconnect_failed");
    expect(attempts).toEqual([[1], [2]]);

    socket.connect();
    await nextEvent(socket.io, "reconnect_failed");

    expect(attempts).toEqual([[1], [2], [1], [2]]);
    expect(socket.active).toBe(true);
  });

  it("12: with no time to connect makes each attempt it may, numbered, and gives up once", async () => {
    const { url } = await silentServer();
    const socket = open(url, { ...impatient, timeout: 0, reconnectionAttempts: 2 });
    const events = recordedNames(socket.io, "reconnect_attempt", "reconnect_failed", "reconnect_error");
    const attempts = recorded(socket.io, "reconnect_attempt");

    await nextEvent(socket.io, "reconnect_failed");
    await turns();

    expect(attempts).toEqual([[1], [2]]);
    expect(events).toEqual([
      "reconnect_attempt",
      "reconnect_error",
      "reconnect_attempt",
      "reconnect_failed",
      "reconnect_error",
    ]);
  });

  it("16: goes on for the other socket when one is disconnected between the attempts", async () => {
    const server = await startServer();
    server.io.of("/other");
    const socket = await connect(server.url, { ...impatient, travel: "polling" });
    const other = socket.io.socket("/other");
    await nextEvent(other, "connect");
    const reconnected = recorded(socket, "connect");
    const attempt = nextEvent(socket.io, "reconnect_error");

    await server.io.close();
    await attempt;
    socket.disconnect();
    const again = await listen(implementation, {}, { port: server.port });
    again.io.of("/other");
    await nextEvent(other, "connect");

    expect(reconnected).toEqual([]);
    expect([socket.active, socket.connected, other.connected]).toEqual([false, false, true]);
  });

  it("17: counts a first connection that succeeds as no attempt to come back", async () => {
    const server = await startServer();
    const socket = open(server.url, impatient);
    const attempts = recorded(socket.io, "reconnect_attempt");

    await nextEvent(socket, "connect");

    expect(attempts).toEqual([]);
  });

  it("22: says that it cannot connect, and tries nothing, without reconnection", async () => {
    const manager = openManager(await refusingUrl(), { reconnection: false, autoConnect: false });
    const events = recordedNames(manager, "error", "reconnect_attempt", "reconnect_failed");

    manager.open();
    await nextEvent(manager, "error");
    await turns();

    expect(events).toEqual(["error"]);
    expect(manager._reconnecting).toBeFalsy();
  });

  it("30: drops a connection over data that is no packet, and comes back with another one", async () => {
    const server = await startServer();
    server.io.engine.once("connection", (connection: { write(data: string): void }) => connection.write("bogus"));
    const socket = open(server.url, impatient);
    const { engine } = socket.io;

    const [reason, details] = await nextEvent<[string, Error]>(socket.io, "close");
    expect(engine.readyState).toBe("closed");
    expect(reason).toBe("parse error");
    expect(details).toBeInstanceOf(Error);
    await nextEvent(socket.io, "reconnect");

    expect(socket.io.engine).not.toBe(engine);
    await nextEvent(socket, "connect");
  });

  it("35: tells no connect_error when a connection that stood is lost", async () => {
    const server = await startServer();
    const socket = await connect(server.url, impatient);
    const errors = recorded(socket, "connect_error");

    socket.io.engine.close();
    await nextEvent(socket, "connect");

    expect(errors).toEqual([]);
  });

  it("40: says once that it is disconnected when it leaves and returns while it connects", async () => {
    const server = await startServer();
    const socket = open(server.url, impatient);
    const disconnects = recorded<[string]>(socket, "disconnect");
    socket.once("connect", () => socket.disconnect().connect());
    await nextEvent(socket, "connect");

    await nextEvent(socket, "connect");

    expect(disconnects.map(([reason]) => reason)).toEqual(["io client disconnect"]);
  });
});
