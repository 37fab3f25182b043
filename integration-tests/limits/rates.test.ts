import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, askRaw, requestBytes, UPGRADE_HEADERS } from "../support/abusive-client.js";
import { connectClient } from "../support/connect-client.js";
import { nextEvent } from "../support/next-event.js";
import { enginePath } from "../support/raw-connection.js";
import { joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { serve } from "../support/serve.js";

// However long the tests take, what they send comes in one window.
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** Limits are averages over so many seconds. */
const HANDSHAKE_WINDOW = 10;
const EVENT_WINDOW = 5;

describe("maxHandshakesPerSecond", () => {
  it("answers handshakes beyond it with 429 over both transports, and leaves open sessions alone", async () => {
    const server = await serve({ maxHandshakesPerSecond: 2 });
    const refusals: unknown[] = [];
    server.io.engine.on("connection_error", ({ code, context }: { code: number; context: { name: string } }) =>
      refusals.push([code, context.name]),
    );
    const bystander = await connectClient(server.url);
    server.io.on("connection", () => {});
    for (let count = 1; count < 2 * HANDSHAKE_WINDOW; count++) {
      expect((await ask(server.port, "GET", enginePath("polling"))).status).toBe(200);
    }
    expect(await ask(server.port, "GET", enginePath("polling"))).toEqual({
      status: 429,
      body: '{"code":4,"message":"Too many handshakes"}',
    });
    expect(await askRaw(server.port, requestBytes("GET", enginePath("websocket"), UPGRADE_HEADERS))).toEqual({
      status: 429,
      body: "Too many handshakes",
    });
    expect(refusals).toEqual([
      [4, "TOO_MANY_HANDSHAKES"],
      [4, "TOO_MANY_HANDSHAKES"],
    ]);
    const pong = nextEvent(bystander, "still here");
    server.io.emit("still here");
    await pong;
  });

  it("does not count requests that are refused for another reason, nor those of open sessions", async () => {
    const server = await serve({ maxHandshakesPerSecond: 0.1 });
    for (let count = 0; count < 5; count++) {
      expect((await ask(server.port, "POST", enginePath("polling"))).status).toBe(400);
      expect((await ask(server.port, "GET", enginePath("polling", "unknown"))).status).toBe(400);
    }
    const { peer } = await joinRawPolling(server);
    expect(await peer.post("3")).toEqual({ status: 200, body: "ok" });
    expect((await ask(server.port, "GET", enginePath("polling"))).status).toBe(429);
  });
});

describe("maxEventsPerSecond", () => {
  it("ends the connection of a websocket that sends more, after an error, and of nobody else", async () => {
    const server = await serve({ maxEventsPerSecond: 20 });
    const bystander = await connectClient(server.url);
    const { peer, socket } = await joinRawWebSocket(server);
    const failed = nextEvent<[{ code: string }]>(socket, "error");
    const left = nextEvent<[string]>(socket, "disconnect");
    let events = 0;
    socket.on("x", () => events++);
    for (let count = 0; count < 20 * EVENT_WINDOW + 50; count++) peer.send('42["x"]');
    expect((await failed)[0].code).toBe("SIO_TOO_MANY_EVENTS");
    expect((await left)[0]).toBe("forced close");
    expect(await peer.closed).toBe(1005);
    // The CONNECT counts as well.
    expect(events).toBe(20 * EVENT_WINDOW - 1);
    expect(bystander.connected).toBe(true);
  });

  it("ends the session of a polling client that sends more in one body", async () => {
    const server = await serve({ maxEventsPerSecond: 20 });
    const { peer, socket } = await joinRawPolling(server);
    const failed = nextEvent<[{ code: string }]>(socket, "error");
    const body = Array<string>(20 * EVENT_WINDOW + 50).fill('42["x"]');
    expect(await peer.post(body.join("\x1e"))).toEqual({ status: 200, body: "ok" });
    expect((await failed)[0].code).toBe("SIO_TOO_MANY_EVENTS");
    expect((await peer.poll()).body).toBe("6\x1e1");
    expect((await peer.poll()).status).toBe(400);
  });

  it("counts acknowledgements and CONNECTs too", async () => {
    const server = await serve({ maxEventsPerSecond: 20 });
    const { peer, socket } = await joinRawWebSocket(server);
    const failed = nextEvent<[{ code: string }]>(socket, "error");
    for (let count = 0; count < 10 * EVENT_WINDOW; count++) {
      peer.send(`43${count}[]`);
      peer.send(`40/unknown-${count},`);
    }
    expect((await failed)[0].code).toBe("SIO_TOO_MANY_EVENTS");
    await peer.closed;
  });

  it("is 10,000 unless it is set", async () => {
    const server = await serve();
    const { peer, socket } = await joinRawPolling(server);
    const body = (count: number): string => Array<string>(count).fill('42["x"]').join("\x1e");
    expect(await peer.post(body(49_999))).toEqual({ status: 200, body: "ok" });
    expect(socket.connected).toBe(true);
    const failed = nextEvent<[{ code: string }]>(socket, "error");
    await peer.post(body(1));
    expect((await failed)[0].code).toBe("SIO_TOO_MANY_EVENTS");
  });
});
