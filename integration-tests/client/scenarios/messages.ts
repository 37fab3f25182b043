import { nextEvent } from "../../support/next-event.js";
import { expectEqual } from "./expect-equal.js";
import { type Bench, scenario, type Scenario } from "./scenario.js";

/** Sends to the server and resolves with what comes back. */
async function echoed({ connect }: Bench, ...args: unknown[]): Promise<unknown[]> {
  const socket = await connect();
  const received = nextEvent(socket, "echo");
  socket.emit("echo", ...args);
  return received;
}

export const messages: Record<string, Scenario> = {
  "exchanges values of every kind": scenario(async (bench) => {
    const values = [1, -1.5, "text", "", true, false, null, [], {}, { nested: [{ list: [1, [2]] }] }];

    expectEqual(await echoed(bench, ...values), values);
  }),

  "exchanges text of every script": scenario(async (bench) => {
    const texts = ["ä€😀", "\u{10FFFF}\uE000", "日本語 العربية", "a\u0000b\u001Ec\u2028d\n\"'\\"];

    expectEqual(await echoed(bench, ...texts), texts);
  }),

  "sends dates as text and undefined as null": scenario(async (bench) => {
    const date = new Date(0);

    expectEqual(await echoed(bench, date, { date }, undefined), [
      "1970-01-01T00:00:00.000Z",
      { date: "1970-01-01T00:00:00.000Z" },
      null,
    ]);
  }),

  "exchanges bytes, alone and inside of objects": scenario(async (bench) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const view = new Uint16Array(bytes.buffer, 2, 3);

    expectEqual(await echoed(bench, bytes, { nested: [view, "between", bytes.buffer] }, new Uint8Array(0)), [
      bytes,
      { nested: [bytes.slice(2, 8), "between", bytes] },
      new Uint8Array(0),
    ]);
  }),

  "keeps the order of text and bytes": scenario(async ({ connect }) => {
    const socket = await connect();
    const received: unknown[] = [];
    const sent = Array.from({ length: 50 }, (_, index) => (index % 3 === 0 ? Uint8Array.of(index) : index));
    const all = new Promise<void>((resolve) => {
      socket.on("echo", (value) => received.push(value) === sent.length && resolve());
    });
    for (const value of sent) socket.emit("echo", value);
    await all;

    expectEqual(received, sent);
  }),

  "sends what was emitted before it was connected": scenario(async ({ open }) => {
    const socket = open();
    socket.emit("echo", 1);
    const [first] = await nextEvent(socket, "echo");

    expectEqual(first, 1);
  }),

  "exchanges a large text": scenario(async (bench) => {
    const text = "ä0123456789".repeat(100_000);
    const [received] = await echoed(bench, text);

    expectEqual(received === text, true, "same text");
  }),

  "exchanges large bytes": scenario(async (bench) => {
    const bytes = new Uint8Array(1_000_000).map((_, index) => index * 7);

    expectEqual((await echoed(bench, bytes))[0], bytes);
  }),

  "hears what is said in its rooms only": scenario(async ({ connect }) => {
    const [speaker, listener] = [await connect(), await connect()];
    const room = `room of ${listener.id}`;
    await listener.emitWithAck("join", room);
    const heard = nextEvent(listener, "told");
    speaker.on("told", () => speaker.emit("tell room", room, "the speaker hears itself"));
    speaker.emit("tell room", room, "here", Uint8Array.of(1));
    expectEqual(await heard, ["here", Uint8Array.of(1)]);

    await listener.emitWithAck("leave", room);
    const others: unknown[] = [];
    listener.on("told", (...args) => others.push(args));
    speaker.emit("tell room", room, "gone");
    await speaker.emitWithAck("echo");
    await listener.emitWithAck("echo");
    expectEqual(others, []);
  }),

  "sends a volatile event when it can": scenario(async ({ open, connect }) => {
    const early = open();
    early.volatile.emit("echo", "lost");
    early.emit("echo", "kept");
    expectEqual(await nextEvent(early, "echo"), ["kept"]);

    const idle = await connect();
    await idle.emitWithAck("echo");
    const received = nextEvent(idle, "echo");
    // Over polling the request that carried the last message may still wait for its answer.
    const again = setInterval(() => idle.volatile.emit("echo", "at last"), 10);
    expectEqual(await received, ["at last"]);
    clearInterval(again);
  }),

  "shows listeners of any event what comes and what goes": scenario(async ({ connect }) => {
    const socket = await connect();
    const seen: unknown[] = [];
    socket.onAny((...args) => seen.push(["in", ...args]));
    socket.onAnyOutgoing((...args) => seen.push(["out", ...args]));
    const received = nextEvent(socket, "echo");
    socket.emit("echo", 1);
    await received;

    expectEqual(seen, [
      ["out", "echo", 1],
      ["in", "echo", 1],
    ]);
  }),
};
