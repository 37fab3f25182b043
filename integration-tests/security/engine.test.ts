import { setImmediate as nextTurn } from "node:timers/promises";
import { FrameDecoder, portableCodec } from "@plugboard/protocol";
import { expect, it, vi } from "vitest";
import {
  AbusiveSession,
  AbusiveWebSocket,
  ask,
  askRaw,
  requestBytes,
  UPGRADE_HEADERS,
  withConnection,
} from "../support/abusive-client.js";
import { clientFrame } from "../support/client-frame.js";
import { connectClient } from "../support/connect-client.js";
import { stopTimers } from "../support/fake-clock.js";
import { nextEvent } from "../support/next-event.js";
import { processorTimeOf } from "../support/processor-time.js";
import { enginePath, RawConnection } from "../support/raw-connection.js";
import { joinRawPolling } from "../support/raw-namespace.js";
import { openRawPolling, rawUpgrade } from "../support/raw-session.js";
import { serve } from "../support/serve.js";

const LINEAR_MS = 2000;
const UPGRADE = (path: string): Buffer => Buffer.from(requestBytes("GET", path, UPGRADE_HEADERS));

it("CVE-2020-36048: an upload without end is answered at the limit, and script polling is read in linear time", async () => {
  const server = await serve();
  const session = await AbusiveSession.open(server.port);
  await withConnection(server.port, async (connection) => {
    connection.write(requestBytes("POST", session.path, { "Transfer-Encoding": "chunked" }));
    const answer = connection.nextAnswer();
    let sentBytes = 0;
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    const piece = `${(65_536).toString(16)}\r\n${"6".repeat(65_536)}\r\n`;
    while (!isAnswered && sentBytes < 50e6) {
      // A server that cuts the connection takes no more.
      const { socket } = connection;
      if (!socket.write(piece)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
      sentBytes += 65_536;
    }
    expect((await answer).status).toBe(413);
    expect(sentBytes).toBeLessThan(50e6);
  });
  await session.expectAlive();

  const script = await ask(server.port, "GET", `${enginePath("polling")}&j=0`);
  const [sid] = /(?<=sid\\":\\")[\w-]+/.exec(script.body)!;
  const reading = processorTimeOf(async () => {
    for (const body of [`d=4${"\\n".repeat(499_000)}`, `d=4${"\\\\n".repeat(330_000)}`, "d=&".repeat(330_000)]) {
      await ask(server.port, "POST", `${enginePath("polling", sid)}&j=0`, body);
    }
  });
  expect(await reading).toBeLessThan(LINEAR_MS);
});

it("CVE-2022-21676: a WebSocket that is broken from its first byte ends nothing but itself", async () => {
  const server = await serve();
  const bystander = await connectClient(server.url);
  const session = await AbusiveSession.open(server.port);
  const broken = clientFrame("x", { reserved: 0x70 });
  for (const path of [enginePath("websocket"), enginePath("polling"), enginePath("websocket", session.sid)]) {
    await withConnection(server.port, async (connection) => {
      connection.write(Buffer.concat([UPGRADE(path), broken]));
      expect(await connection.upgraded()).toBe(101);
      connection.end();
      await connection.rest();
    });
  }
  await session.expectAlive();
  expect(bystander.connected).toBe(true);
});

it("CVE-2022-41940: a connection that is reset while its upgrade is refused ends nothing but itself", async () => {
  const pending: Array<() => void> = [];
  const server = await serve({
    destroyUpgradeTimeout: 20,
    allowRequest: (req, decide) => {
      if (req.url?.includes("reset")) pending.push(() => decide("no", false));
      else decide(null, true);
    },
  });
  const bystander = await connectClient(server.url);
  const elsewhere = new Promise((resolve) => server.webServer.once("connection", resolve));
  for (const path of [`${enginePath("websocket")}&reset`, "/elsewhere"]) {
    const connection = await RawConnection.open(server.port);
    connection.write(UPGRADE(path));
    if (path !== "/elsewhere") await vi.waitUntil(() => pending.length > 0, 20_000);
    connection.reset();
    await connection.closed;
  }
  await elsewhere;
  const refused = nextEvent<[{ code: number }]>(server.io.engine, "connection_error");
  for (const refuse of pending) refuse();
  expect((await refused)[0].code).toBe(4);
  await withConnection(server.port, async (connection) => {
    connection.write(UPGRADE("/elsewhere"));
    expect(await connection.rest()).toBe("");
  });
  expect(bystander.connected).toBe(true);
});

it("CVE-2023-31125: an unknown transport is refused before anything is made of it", async () => {
  const server = await serve();
  for (const name of [
    "foo",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "WebSocket",
    "",
    "webtransport",
  ]) {
    const path = `/socket.io/?EIO=4&transport=${name}`;
    expect(await askRaw(server.port, UPGRADE(path))).toEqual({ status: 400, body: "Transport unknown" });
    expect(await ask(server.port, "GET", path)).toEqual({
      status: 400,
      body: '{"code":0,"message":"Transport unknown"}',
    });
  }
  expect(server.io.engine.clientsCount).toBe(0);
});

it("CVE-2026-59725: an upload of bytes is answered with 400, and ends its session", async () => {
  const server = await serve();
  const { peer, socket } = await joinRawPolling(server);
  const left = nextEvent<[string]>(socket, "disconnect");
  const headers = { "content-type": "application/octet-stream" };
  expect(await peer.post(new Uint8Array([4, 1]), { headers })).toEqual({ status: 400, body: "" });
  expect((await left)[0]).toBe("transport error");
  expect(server.io.engine.clientsCount).toBe(0);
});

it("no id known, engine.io after 6.6.9: a session cannot be continued in another protocol", async () => {
  for (const allowEIO3 of [false, true]) {
    const server = await serve({ allowEIO3 });
    const refusals: unknown[] = [];
    server.io.engine.on("connection_error", ({ context }: { context: object }) => refusals.push(context));
    const session = await AbusiveSession.open(server.port);
    const inProtocol3 = (path: string): string => path.replace("EIO=4", "EIO=3");
    const upgrade = UPGRADE(inProtocol3(enginePath("websocket", session.sid)));
    expect(await askRaw(server.port, upgrade)).toEqual({ status: 400, body: "Bad request" });
    for (const method of ["GET", "POST"] as const) {
      expect((await ask(server.port, method, inProtocol3(session.path))).status).toBe(400);
    }
    const mismatch = { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 };
    expect(refusals).toEqual([mismatch, mismatch, mismatch]);
    await session.expectAlive();
  }
});

it("no id, engine.io 6.6.7/6.6.8: WebTransport is refused, and its frames are bounded before they are read", async () => {
  const server = await serve({ transports: ["polling", "websocket", "webtransport"] });
  const path = "/socket.io/?EIO=4&transport=webtransport";
  expect(await ask(server.port, "GET", path)).toMatchObject({ status: 400 });
  expect(await askRaw(server.port, UPGRADE(path))).toMatchObject({ status: 400 });
  for (const [bytes, code] of [
    [[0], "EIO_EMPTY_FRAME"],
    [[127, 0, 0, 0, 0, 0, 15, 66, 65], "EIO_FRAME_TOO_LARGE"],
    [[255, 255, 255, 255, 255, 255, 255, 255, 255], "EIO_FRAME_TOO_LARGE"],
    [[2, 0xc3, 0x28], "EIO_INVALID_PACKET"],
  ] as const) {
    const decoder = new FrameDecoder(1_000_000, portableCodec);
    expect(decoder.push(Uint8Array.from(bytes)).map(({ type }) => type)).toEqual(["error"]);
    expect(decoder.error).toBe(code);
    expect(decoder.push(Uint8Array.of(1, 54))).toEqual([]);
  }
});

it("no id, engine.io 6.6.1: a session is upgraded once, and nothing queued leaves after the server was closed", async () => {
  const server = await serve();
  const { peer, session } = await openRawPolling(server);
  const [first, second] = [rawUpgrade(server, peer), rawUpgrade(server, peer)];
  await Promise.all([first.opened(), second.opened()]);
  await second.closed;
  const upgraded = nextEvent(session, "upgrade");
  first.send("5");
  await upgraded;
  const third = rawUpgrade(server, peer);
  expect(await third.closed).toBe(1005);

  const silent = await openRawPolling(server);
  silent.session.send("queued");
  server.io.engine.close();
  await first.closed;
  expect((await silent.peer.poll()).status).toBe(400);
});

it("gap: pong timer lost at upgrade: a client that owes a pong when it upgrades is missed in time", async () => {
  stopTimers();
  const server = await serve();
  const { peer, socket } = await joinRawPolling(server);
  const left = nextEvent<[string]>(socket, "disconnect");
  vi.advanceTimersByTime(25_010);
  expect((await peer.poll()).body).toBe("2");
  const websocket = rawUpgrade(server, peer);
  await websocket.opened();
  const upgraded = nextEvent(socket.conn, "upgrade");
  websocket.send("5");
  await upgraded;
  vi.advanceTimersByTime(20_010);
  expect((await left)[0]).toBe("ping timeout");
  await websocket.closed;
});

it("gap: JSONP served as text/plain: a script is told to be one, and nothing else", async () => {
  const server = await serve();
  const response = await fetch(`${server.url}${enginePath("polling")}&j=0);alert(1`);
  expect(response.headers.get("content-type")).toBe("text/javascript; charset=UTF-8");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(await response.text()).toMatch(/^___eio\[01\]\("0\{.*\}"\);$/);
});

it("a WebSocket that is cut in the middle of its handshake is forgotten", async () => {
  const server = await serve();
  await AbusiveWebSocket.use(server.port, undefined, async ({ connection }) => {
    connection.reset();
    await connection.closed;
    await nextTurn();
  });
  expect(server.io.engine.clientsCount).toBe(0);
});
