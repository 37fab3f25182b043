import { createServer } from "node:http";
import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { AbusiveSession, AbusiveWebSocket, requestBytes, UPGRADE_HEADERS } from "../support/abusive-client.js";
import { clientFrame, Opcode } from "../support/client-frame.js";
import { connectPair } from "../support/connect-client.js";
import { nextEvent } from "../support/next-event.js";
import { joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { enginePath } from "../support/raw-connection.js";
import { serve } from "../support/serve.js";

const DEFAULT_BYTES = 1_000_000;
const MAX_FRAGMENTS = 16_384;
const MAX_CHUNKS = 262_144;

const eventOf = (bytes: number): string => `42["${"x".repeat(bytes - 6)}"]`;
const nested = (levels: number): unknown => {
  let data: unknown = 1;
  for (let level = 0; level < levels; level++) data = [data];
  return data;
};
const placeholders = (count: number): string =>
  Array.from({ length: count }, (_, num) => `,{"_placeholder":true,"num":${num}}`).join("");

it("takes an upload of a million bytes, and answers one of a byte more with 413", async () => {
  const { port } = await serve();
  const session = await (await AbusiveSession.open(port)).join();
  expect(await session.post(eventOf(DEFAULT_BYTES))).toEqual({ status: 200, body: "ok" });
  expect(await session.post(eventOf(DEFAULT_BYTES + 1))).toEqual({ status: 413, body: "" });
  await session.expectAlive();
});

it("takes a WebSocket message of a million bytes, and closes with 1009 for one of a byte more", async () => {
  const { port } = await serve();
  await AbusiveWebSocket.use(port, "", async (websocket) => {
    websocket.send(eventOf(DEFAULT_BYTES));
    websocket.connection.sendText("41");
    websocket.connection.sendText("40");
    expect(await websocket.connection.nextText()).toMatch(/^40/);
    websocket.send(eventOf(DEFAULT_BYTES + 1));
    expect(await websocket.closeCode()).toBe(1009);
    await websocket.untilGone();
  });
});

it("counts the bytes of a compressed WebSocket message as they are without compression", async () => {
  const server = await serve({ perMessageDeflate: true, maxHttpBufferSize: 10_000 });
  const { client, socket } = await connectPair(server);
  const left = nextEvent<[string, Error]>(socket, "disconnect");
  client.emit("bomb", "x".repeat(100_000));
  const [reason, description] = await left;
  expect(reason).toBe("transport error");
  expect(description.message).toContain("Max payload size exceeded");
});

it("takes a message of 16,384 fragments, and closes with 1008 for one more", async () => {
  const { port } = await serve();
  const inFragments = (text: string, count: number): Buffer =>
    Buffer.concat([
      clientFrame(text, { isFinal: false }),
      ...Array<Buffer>(count - 2).fill(clientFrame("", { opcode: Opcode.CONTINUATION, isFinal: false })),
      clientFrame("", { opcode: Opcode.CONTINUATION }),
    ]);
  await AbusiveWebSocket.use(port, undefined, async (websocket) => {
    websocket.connection.write(inFragments("40", MAX_FRAGMENTS));
    expect(await websocket.connection.nextText()).toMatch(/^40/);
    websocket.connection.write(inFragments("41", MAX_FRAGMENTS + 1));
    expect(await websocket.closeCode()).toBe(1008);
    await websocket.untilGone();
  });
});

/** A connection to an HTTP server without a network, which would join small pieces. */
function pieceByPiece(): { connection: Duplex; written: () => string; send(piece: Uint8Array): void } {
  let written = "";
  const connection = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      written += bytes.toString("latin1");
      done();
    },
  });
  return { connection, written: () => written, send: (piece) => void connection.push(piece) };
}

it("closes with 1008 when a message comes in more than 262,144 pieces", async () => {
  const webServer = createServer();
  const server = await serve({}, { webServer });
  const opened = nextEvent<[{ once(event: string, listener: () => void): void }]>(server.io.engine, "connection");
  const { connection, written, send } = pieceByPiece();
  webServer.emit("connection", connection);
  send(Buffer.from(requestBytes("GET", enginePath("websocket"), UPGRADE_HEADERS)));
  const [session] = await opened;
  const closed = nextEvent<[string, Error]>(session, "close");
  const message = clientFrame("4".repeat(MAX_CHUNKS + 100));
  for (let at = 0; at < message.length; at++) send(message.subarray(at, at + 1));
  const [reason, description] = await closed;
  expect(reason).toBe("transport error");
  expect(description.message).toContain("Too many");
  expect(written().endsWith("\x88\x02\x03\xf0")).toBe(true);
});

it("takes a packet with ten attachments, and closes the connection for one with eleven", async () => {
  const server = await serve();
  const { peer, socket } = await joinRawWebSocket(server);
  const received = nextEvent<unknown[]>(socket, "x");
  peer.send(`4510-["x"${placeholders(10)}]`);
  for (let count = 0; count < 10; count++) peer.send(Uint8Array.of(count));
  expect(await received).toHaveLength(10);
  const failed = nextEvent<[Error]>(socket, "error");
  peer.send(`4511-["x"${placeholders(11)}]`);
  expect((await failed)[0].message).toBe("too many attachments");
  expect(await peer.closed).toBe(1005);
});

it("holds eleven times the message limit of an unfinished packet, and closes the connection beyond that", async () => {
  const server = await serve({ maxHttpBufferSize: 1000 });
  const full = `b${Buffer.alloc(1000).toString("base64")}`;
  const { peer, socket } = await joinRawPolling(server);
  // Nothing that fits into messages reaches it: it is there for a limit that is raised while a client is connected.
  (server.io.engine as unknown as { opts: { maxHttpBufferSize: number } }).opts.maxHttpBufferSize = 100_000;
  const received = nextEvent<unknown[]>(socket, "x");
  const header = (length: number): string => `4510-["x"${placeholders(10)}`.padEnd(length, " ") + "]";
  await peer.post([header(1000), ...Array<string>(10).fill(full)].join("\x1e"));
  expect(await received).toHaveLength(10);
  const failed = nextEvent<[Error & { code: string }]>(socket, "error");
  await peer.post([header(1001), ...Array<string>(10).fill(full)].join("\x1e"));
  expect((await failed)[0].code).toBe("SIO_PARTIAL_PACKET_TOO_LARGE");
  expect((await peer.poll()).body).toBe("6\x1e1");
});

it("sends data of 2,000 levels and throws for one more", async () => {
  const { client, socket } = await connectPair(await serve());
  const received = nextEvent(client, "deep");
  // The list of arguments is a level, too.
  socket.emit("deep", nested(1999));
  await received;
  expect(() => socket.emit("deep", nested(2001))).toThrow("packet data is circular or nested too deeply");
  expect(socket.connected).toBe(true);
});
