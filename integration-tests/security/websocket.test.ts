import { createServer } from "node:http";
import { expect, it } from "vitest";
import { AbusiveWebSocket, askRaw, requestBytes, UPGRADE_HEADERS, withConnection } from "../support/abusive-client.js";
import { clientFrame, Opcode } from "../support/client-frame.js";
import { connectClient } from "../support/connect-client.js";
import { processorTimeOf } from "../support/processor-time.js";
import { enginePath } from "../support/raw-connection.js";
import { joinRawWebSocket } from "../support/raw-namespace.js";
import { serve } from "../support/serve.js";

/** Five headers of 15,000 blanks cost some 5 ms, and some 450 where each blank has all the others looked at again. */
const LINEAR_MS = 150;
const MAX_FRAGMENTS = 16_384;

it("CVE-2024-37890: an upgrade whose headers are cut off by the header limit is refused", async () => {
  const webServer = createServer();
  webServer.maxHeadersCount = 10;
  const server = await serve({}, { webServer });
  const bystander = await connectClient(server.url);
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, "y"]));
  for (const headers of [
    { ...many, ...UPGRADE_HEADERS },
    { ...UPGRADE_HEADERS, "Sec-WebSocket-Key": "", ...many },
  ]) {
    const request = requestBytes("GET", enginePath("websocket"), headers);
    expect((await askRaw(server.port, request)).status).toBe(400);
  }
  expect(bystander.connected).toBe(true);
});

it("CVE-2021-32640: a subprotocol header of blanks is read in linear time", async () => {
  const server = await serve();
  for (const value of [`a${" ".repeat(15_000)}b`, `a${" ,".repeat(7000)}`, `a${"\t".repeat(15_000)},`]) {
    const headers = { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": value };
    const request = requestBytes("GET", enginePath("websocket"), headers);
    const reading = processorTimeOf(async () => {
      for (let n = 0; n < 5; n++) expect((await askRaw(server.port, request)).status).toBe(400);
    });
    expect(await reading).toBeLessThan(LINEAR_MS);
  }
});

it("CVE-2016-10518: a pong holds what the ping held, and a number to send is text, not a length", async () => {
  const server = await serve();
  await AbusiveWebSocket.use(server.port, undefined, async ({ connection }) => {
    for (const payload of ["", "100", "x".repeat(125)]) {
      connection.write(clientFrame(payload, { opcode: Opcode.PING }));
      expect(await connection.nextFrame()).toEqual({ opcode: Opcode.PONG, payload: Buffer.from(payload) });
    }
    const [session] = Object.values((server.io.engine as unknown as { clients: object }).clients) as [
      { send(data: unknown): void },
    ];
    session.send(100);
    expect(await connection.nextText()).toBe("4100");
  });
});

it("CVE-2016-10542: a message has a limit without anybody setting one", async () => {
  const { port } = await serve();
  await AbusiveWebSocket.use(port, "", async (websocket) => {
    websocket.connection.write(clientFrame("", { announcedLength: 1_000_001n }));
    expect(await websocket.closeCode()).toBe(1009);
    await websocket.untilGone();
  });
});

it("CVE-2026-45736: a close frame of the server holds what the client's held, if there was one, and else nothing", async () => {
  const server = await serve();
  const closers: Array<(websocket: AbusiveWebSocket) => void> = [
    () => server.io.disconnectSockets(true),
    () => [...server.io.sockets.sockets.values()][0]?.conn.close(),
    (websocket) => websocket.send("9"),
    (websocket) => websocket.connection.sendCloseFrame(),
  ];
  for (const close of closers) {
    await AbusiveWebSocket.use(server.port, "", async (websocket) => {
      close(websocket);
      let frame = await websocket.connection.nextFrame();
      while (frame.opcode !== Opcode.CLOSE) frame = await websocket.connection.nextFrame();
      expect(frame.payload).toHaveLength(0);
    });
  }
  await AbusiveWebSocket.use(server.port, "", async ({ connection }) => {
    const payload = Buffer.concat([Buffer.from([0x0f, 0xa0]), Buffer.alloc(123, "r")]);
    connection.write(clientFrame(payload, { opcode: Opcode.CLOSE }));
    expect(await connection.nextFrame()).toEqual({ opcode: Opcode.CLOSE, payload });
  });
});

it("CVE-2026-48779: a message of more fragments than the limit is refused", async () => {
  const { port } = await serve();
  await AbusiveWebSocket.use(port, "", async (websocket) => {
    const fragment = clientFrame("", { opcode: Opcode.CONTINUATION, isFinal: false });
    websocket.connection.write(clientFrame("4", { isFinal: false }));
    websocket.connection.write(Buffer.concat(Array<Buffer>(MAX_FRAGMENTS).fill(fragment)));
    expect(await websocket.closeCode()).toBe(1008);
    await websocket.untilGone();
  });
});

it("the 2017 Sec-WebSocket-Extensions DoS: names of inherited properties are no extensions", async () => {
  const values = [
    "constructor",
    "__proto__",
    "toString; x",
    "permessage-deflate; constructor",
    "permessage-deflate; __proto__=1",
    ";",
    "=,;",
  ];
  for (const perMessageDeflate of [false, true]) {
    const server = await serve({ perMessageDeflate });
    const bystander = await connectClient(server.url);
    for (const value of values) {
      await withConnection(server.port, async (connection) => {
        connection.write(
          requestBytes("GET", enginePath("websocket"), { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": value }),
        );
        expect([101, 400]).toContain(await connection.upgraded());
      });
    }
    const { socket } = await joinRawWebSocket(server);
    expect(socket.connected && bystander.connected).toBe(true);
  }
});
