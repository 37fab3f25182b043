/*
 * Invariant: any bytes after an upgrade, whole or in pieces, bring the same messages; the answer consists of whole
 * frames, the session goes on or closes for a declared reason, others echo; in linear time and bounded memory.
 */
import { setTimeout } from "node:timers/promises";
import { constants, deflateRawSync } from "node:zlib";
import {
  type FuzzInput,
  type FuzzTarget,
  joinBytes,
  mutateBytes,
  mutateText,
  Random,
  splitBytes,
  turn,
} from "@plugboard/testkit/fuzz";
import { clientFrame, Opcode, serverOpcodes, someFrames } from "./client-frame.js";
import { EchoEngine, type WatchedSession } from "./echo-engine.js";
import { MemoryDuplex } from "./memory-duplex.js";
import { memoryRequest } from "./memory-http.js";
import { enginePacket } from "./packet-grammar.js";

const HEADERS = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
/** A new session, the upgrade of a polling one, or a new one that compresses. */
const MODES = ["new", "new", "new", "upgrade"] as const;
const DEFLATE = "deflate";
/** Inflating happens in another thread: most of it is over by then, and nothing depends on it. */
const INFLATE_MS = 1;
const END_OF_HEAD = "\r\n\r\n";

function payload(random: Random): Uint8Array {
  const text = enginePacket(random);
  if (random.oneIn(8)) return random.bytes(random.pick([0, 1, 10, 125, 126, 200]));
  return Buffer.from(random.oneIn(3) ? mutateText(random, text, enginePacket(random)) : text);
}

function compressedFrame(random: Random): Uint8Array {
  const raw = deflateRawSync(payload(random), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const bytes = random.oneIn(2) ? raw : mutateBytes(random, raw, random.bytes(4));
  return clientFrame({ opcode: Opcode.TEXT, payload: bytes, isCompressed: true });
}

function generate(random: Random): FuzzInput {
  if (random.oneIn(32)) return [DEFLATE, joinBytes([compressedFrame(random), compressedFrame(random)])];
  const mode = random.pick(MODES);
  if (random.oneIn(16)) return [mode, random.bytes(random.small(200))];
  const frames: Uint8Array[] = [];
  if (mode === "upgrade" && !random.oneIn(4)) frames.push(text("2probe"), ...(random.oneIn(4) ? [] : [text("5")]));
  for (let left = 1 + random.small(4); left > 0; left--) frames.push(...someFrames(random, payload(random)));
  const bytes = joinBytes(frames);
  return [mode, random.oneIn(3) ? bytes : mutateBytes(random, bytes, joinBytes(someFrames(random, payload(random))))];
}

function text(data: string): Uint8Array {
  return clientFrame({ opcode: Opcode.TEXT, payload: Buffer.from(data) });
}

const over = (size: number, frame: Uint8Array): Uint8Array =>
  joinBytes(Array.from({ length: size / frame.length }, () => frame));
const repeated =
  (frame: Uint8Array, mode = "new") =>
  (size: number) => [mode, over(size, frame)];
const fragment = (opcode: number, length: number): Uint8Array =>
  clientFrame({ opcode, payload: new Uint8Array(length).fill(52), isLast: false });

export const target: FuzzTarget = {
  name: "websocket-frame",
  generate,
  growing: {
    "short messages": repeated(text("4")),
    "pong packets": repeated(text("3")),
    "empty binary messages": repeated(clientFrame({ opcode: Opcode.BINARY, payload: new Uint8Array(0) })),
    pings: repeated(clientFrame({ opcode: Opcode.PING, payload: new Uint8Array(0) })),
    "pings to a candidate": repeated(text("2probe"), "upgrade"),
    "one message": (size) => ["new", text("4".repeat(size))],
    "one base64 message": (size) => ["new", text("b".repeat(size))],
    "one binary message": (size) => ["new", clientFrame({ opcode: Opcode.BINARY, payload: new Uint8Array(size) })],
    "empty fragments": (size) => [
      "new",
      joinBytes([fragment(Opcode.TEXT, 1), over(size, fragment(Opcode.CONTINUATION, 0))]),
    ],
    "short fragments": (size) => [
      "new",
      joinBytes([fragment(Opcode.TEXT, 1), over(size, fragment(Opcode.CONTINUATION, 1))]),
    ],
    "text that is not UTF-8": (size) => [
      "new",
      clientFrame({ opcode: Opcode.TEXT, payload: new Uint8Array(size).fill(0xff) }),
    ],
    garbage: (size) => ["new", new Uint8Array(size).fill(0xff)],
    "a length that never comes": (size) => [
      "new",
      joinBytes([Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 15, 0, 0), new Uint8Array(size)]),
    ],
    "one message beyond the limit": (size) => ["new", text("4".repeat(size + 100_000))],
  },
  async open() {
    const echo = await EchoEngine.open();

    const deflating = await EchoEngine.open({ perMessageDeflate: { threshold: 0 } });

    async function connect(
      { engine }: EchoEngine,
      headers: Record<string, string>,
      sid: string,
    ): Promise<MemoryDuplex> {
      const socket = new MemoryDuplex();
      const request = memoryRequest("GET", `/engine.io/?EIO=4&transport=websocket${sid}`, headers);
      engine.handleUpgrade(Object.assign(request, { socket }), socket, Buffer.alloc(0));
      await turn();
      return socket;
    }

    async function attack(mode: string, pieces: readonly Uint8Array[]): Promise<string[]> {
      const socket = await connect(echo, HEADERS, mode === "upgrade" ? `&sid=${await echo.openPolling()}` : "");
      const watched = echo.last as WatchedSession;
      // Copies: the mask is taken off in place.
      for (const piece of pieces) socket.push(Buffer.from(piece));
      await turn();
      checkOutput(socket.output());
      const reason = echo.reasonOf(watched);
      const transport = watched.session.transport.name;
      socket.destroy();
      watched.session.close(true);
      await turn();
      const heard = watched.messages.length > 0 ? ", heard" : "";
      return [
        `${transport}, ${reason}${heard}`,
        ...watched.messages.map((message) => `${typeof message} ${String(message)}`),
      ];
    }

    /** What is heard, and when, is up to another thread. */
    async function attackDeflating(bytes: Uint8Array): Promise<string> {
      const headers = { ...HEADERS, "sec-websocket-extensions": "permessage-deflate" };
      const socket = await connect(deflating, headers, "");
      const watched = deflating.last as WatchedSession;
      socket.push(Buffer.from(bytes));
      await setTimeout(INFLATE_MS);
      deflating.reasonOf(watched);
      socket.destroy();
      watched.session.close(true);
      await turn();
      return "deflate";
    }

    return {
      async run([mode, bytes]) {
        if (mode === DEFLATE) return attackDeflating(bytes as Uint8Array);
        const whole = await attack(mode as string, [bytes as Uint8Array]);
        const random = new Random(bytes?.length ?? 0, Number(bytes?.[0] ?? 0));
        const split = await attack(mode as string, splitBytes(random, bytes as Uint8Array));
        if (whole.length !== split.length || whole.some((line, index) => line !== split[index])) {
          throw new Error(`whole: ${whole.join()}, split: ${split.join()}`);
        }
        return whole[0] as string;
      },
      async checkOthers() {
        await echo.checkOthers();
        await deflating.checkOthers();
      },
      async close() {
        await echo.close();
        await deflating.close();
      },
    };
  },
};

/** @throws unless it is a 101 answer and whole frames */
function checkOutput(output: Buffer): void {
  const end = output.indexOf(END_OF_HEAD);
  if (!output.subarray(0, end).toString("latin1").startsWith("HTTP/1.1 101 ")) throw new Error("no upgrade");
  serverOpcodes(output.subarray(end + END_OF_HEAD.length));
}
