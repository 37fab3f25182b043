import { expect } from "vitest";
import { clientFrame, Opcode, type ClientFrameInit } from "../../support/client-frame.js";
import type { Abuse } from "../abuse.js";
import { AbusiveWebSocket, requestBytes } from "../../support/abusive-client.js";

const MAX_BYTES = 10_000;

/** The connection is closed with that code, and the session is gone although the client stays. */
function closes(title: string, code: number, ...frames: Uint8Array[]): Abuse {
  return {
    title: `${title} closes the connection with ${code}`,
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.write(Buffer.concat(frames));
        expect(await websocket.closeCode()).toBe(code);
        await websocket.untilGone();
      }),
  };
}

/** Does no harm. */
function isTaken(title: string, ...frames: Uint8Array[]): Abuse {
  return {
    title: `${title} does nothing`,
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.write(Buffer.concat(frames));
        await websocket.expectEcho();
      }),
  };
}

const fragment = (payload: string | Uint8Array, init: ClientFrameInit = {}): Buffer =>
  clientFrame(payload, { opcode: Opcode.CONTINUATION, isFinal: false, ...init });
const closeFrame = (code: number, reason: string | Uint8Array = ""): Buffer =>
  clientFrame(Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]), { opcode: Opcode.CLOSE });
const BAD_UTF8 = Buffer.from([0x34, 0xc3, 0x28]);

export const FRAMES: readonly Abuse[] = [
  ...[0x40, 0x20, 0x10].map((reserved) =>
    closes(`a frame with reserved bit 0x${reserved.toString(16)}`, 1002, clientFrame("6", { reserved })),
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
    closes(`a frame with opcode ${opcode}`, 1002, clientFrame("6", { opcode })),
  ),
  closes("a frame without a mask", 1002, clientFrame("6", { isMasked: false })),
  closes("a length beyond the limit", 1009, clientFrame("", { announcedLength: BigInt(MAX_BYTES + 1) })),
  closes("a length beyond the safe integers", 1009, clientFrame("", { announcedLength: 1n << 62n })),
  closes("the greatest length there is", 1009, clientFrame("", { announcedLength: (1n << 64n) - 1n })),
  closes(
    "a message beyond the limit in fragments within it",
    1009,
    clientFrame("6".repeat(MAX_BYTES - 1), { isFinal: false }),
    fragment("66", { isFinal: true }),
  ),
  closes("a ping in fragments", 1002, clientFrame("", { opcode: Opcode.PING, isFinal: false })),
  closes("a close frame in fragments", 1002, clientFrame("", { opcode: Opcode.CLOSE, isFinal: false })),
  closes("a ping of 126 bytes", 1002, clientFrame("x".repeat(126), { opcode: Opcode.PING })),
  closes("a continuation of nothing", 1002, fragment("6", { isFinal: true })),
  closes("a new message amid fragments", 1002, clientFrame("4", { isFinal: false }), clientFrame("6")),
  closes("text that is no UTF-8", 1007, clientFrame(BAD_UTF8)),
  closes(
    "text that is no UTF-8, in fragments",
    1007,
    clientFrame(BAD_UTF8.subarray(0, 2), { isFinal: false }),
    fragment(BAD_UTF8.subarray(2), { isFinal: true }),
  ),
  closes("half a surrogate pair", 1007, clientFrame(Buffer.from([0x34, 0xed, 0xa0, 0x80]))),
  closes("a close reason that is no UTF-8", 1007, closeFrame(1000, BAD_UTF8)),
  closes("a close frame of one byte", 1002, clientFrame("x", { opcode: Opcode.CLOSE })),
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) =>
    closes(`the close code ${code}`, 1002, closeFrame(code)),
  ),
  closes("HTTP after the upgrade", 1002, Buffer.from(requestBytes("GET", "/socket.io/?EIO=4&transport=polling"))),
  closes("noise after the upgrade", 1002, Buffer.alloc(1000, 0xff)),
  closes("zeros after the upgrade", 1002, Buffer.alloc(1000)),
  closes("an empty text", 1005, clientFrame("")),
  closes("an unknown packet", 1005, clientFrame("9")),
  closes("a ping packet", 1005, clientFrame("2")),
  closes("a probe where nothing is to be upgraded", 1005, clientFrame("2probe")),
  closes("a close packet", 1005, clientFrame("1")),
  closes("bytes that were not announced", 1005, clientFrame(Uint8Array.of(1), { opcode: Opcode.BINARY })),
  closes("no bytes in a binary frame", 1005, clientFrame("", { opcode: Opcode.BINARY })),
  isTaken("an upgrade packet", clientFrame("5")),
  isTaken("a thousand noops", ...Array<Buffer>(1000).fill(clientFrame("6"))),
  isTaken(
    "a thousand unasked pongs in both layers",
    ...Array<Buffer>(1000).fill(Buffer.concat([clientFrame("3"), clientFrame("x", { opcode: Opcode.PONG })])),
  ),
  isTaken(
    "a ping between fragments",
    clientFrame("4", { isFinal: false }),
    clientFrame("?", { opcode: Opcode.PING }),
    fragment('2["in pieces"]', { isFinal: true }),
  ),
  {
    title: "a close code that is allowed is sent back, and what follows it ignored",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.write(Buffer.concat([closeFrame(4000, "bye"), clientFrame('421["echo","late"]')]));
        expect(await websocket.closeCode()).toBe(4000);
        websocket.connection.end();
        expect(await websocket.connection.rest()).toBe("");
        await websocket.untilGone();
      }),
  },
  {
    title: "a close frame ends the session at once, however long the client keeps the connection",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.write(Buffer.concat([clientFrame('421["echo","last"]'), closeFrame(1001)]));
        await websocket.untilGone();
        expect(await websocket.connection.nextText()).toBe('431["last"]');
        expect(await websocket.closeCode()).toBe(1001);
        expect(await websocket.connection.rest()).toBe("");
      }),
  },
  {
    title: "a message that comes byte by byte is taken",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        for (const byte of clientFrame('427["echo","slowly"]')) {
          websocket.connection.write(Uint8Array.of(byte));
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(await websocket.connection.nextText()).toBe('437["slowly"]');
      }),
  },
];
