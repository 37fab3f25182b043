import { describe, expect, it } from "vitest";
import { MemoryChannel, message, RecordedEvents, transportContract } from "@plugboard/testkit";
import { EndOfTurn } from "../end-of-turn.js";
import { WebSocketTransport } from "./websocket.js";
import { prepareFrame, textFrame } from "./websocket-frame.js";

const turnEnd = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function create(takesFrames: boolean, supportsBinary = true) {
  const channel = new MemoryChannel(takesFrames);
  const transport = new WebSocketTransport(channel, new EndOfTurn(), supportsBinary);
  const events = new RecordedEvents();
  transport.events = events;
  return { channel, transport, events };
}

/** The texts of the short frames in a write. */
function texts(write: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < write.length; at += 2 + write.charCodeAt(at + 1)) {
    found.push(write.slice(at + 2, at + 2 + write.charCodeAt(at + 1)));
  }
  return found;
}

for (const takesFrames of [true, false]) {
  transportContract(`websocket ${takesFrames ? "writing frames" : "through the channel"}`, () => {
    const { channel, transport } = create(takesFrames);
    return {
      transport,
      makeReady() {},
      async completeWrites() {
        await turnEnd();
        channel.complete();
      },
      async received() {
        await turnEnd();
        return takesFrames ? channel.writes.flatMap(texts) : channel.messages.map(String);
      },
      deliver: (encoded) => transport.onMessage(encoded),
      vanish: () => transport.onClose(),
    };
  });
}

describe("WebSocketTransport", () => {
  it("writes once for all that is sent in one turn", async () => {
    const { channel, transport } = create(true);
    transport.send([message("a")]);
    expect(transport.accepting).toBe(true);
    transport.send([message("b")]);
    expect(channel.writes).toEqual([]);
    await turnEnd();
    expect(channel.writes).toEqual([textFrame("4", "a") + textFrame("4", "b")]);
  });

  it("takes nothing more while a write is on its way, and tells when it is done", async () => {
    const { channel, transport, events } = create(true);
    transport.send([message("a")]);
    await turnEnd();
    expect(transport.accepting).toBe(false);
    expect(events.log).toEqual([]);
    channel.complete();
    expect(transport.writable).toBe(true);
    expect(events.log).toEqual(["ready"]);
  });

  it("is writable at the end of the turn when the system takes everything at once", async () => {
    const { channel, transport, events } = create(true);
    channel.isFast = true;
    let written = 0;
    transport.send([message("a")], () => written++);
    expect([transport.writable, written]).toEqual([false, 0]);
    await turnEnd();
    expect([transport.writable, written]).toEqual([true, 1]);
    expect(events.log).toEqual(["ready"]);
  });

  it("writes a large binary message at once, so that its owner may reuse the bytes", () => {
    const { channel, transport } = create(true);
    const bytes = Buffer.alloc(5000, 1);
    transport.send([message("before"), message(bytes)]);
    bytes.fill(2);
    expect(channel.writes).toHaveLength(1);
    expect(channel.writes[0]).toContain(textFrame("4", "before"));
    expect(channel.writes[0]).toContain("\x01".repeat(5000));
  });

  it("takes nothing more in a turn once the system does not take what was written in it", () => {
    const { transport } = create(true);
    transport.send([message(Buffer.alloc(5000))]);
    expect(transport.accepting).toBe(false);
  });

  it("becomes writable when the only thing sent in a turn was written at once", async () => {
    const { channel, transport } = create(true);
    transport.send([message(Buffer.alloc(5000))]);
    channel.complete();
    expect(transport.writable).toBe(false);
    await turnEnd();
    expect(transport.writable).toBe(true);
  });

  it("copies a small binary message, so that its owner may reuse the bytes", async () => {
    const { channel, transport } = create(true);
    const bytes = Buffer.from([1, 2, 3]);
    transport.send([message(bytes)]);
    bytes.fill(9);
    await turnEnd();
    expect(channel.writes).toEqual(["\x82\x03\x01\x02\x03"]);
  });

  it("does not gather without bound", () => {
    const { channel, transport } = create(true);
    transport.send([message("a".repeat(70_000))]);
    expect(channel.writes).toHaveLength(1);
  });

  it("sends binary as base64 text to a client that asked for it", async () => {
    const { channel, transport } = create(true, false);
    transport.send([message(Buffer.from([1, 2, 3, 4]))]);
    await turnEnd();
    expect(channel.writes).toEqual([textFrame("", "bAQIDBA==")]);
  });

  it("writes a frame built elsewhere as it is, and never through a channel that takes messages only", async () => {
    const wsPreEncodedFrame = [Buffer.from([0x81, 4]), Buffer.from("4123")];
    const packet = { type: "message" as const, data: "123", options: { wsPreEncodedFrame } };
    const frames = create(true);
    frames.transport.send([packet]);
    await turnEnd();
    expect(frames.channel.writes).toEqual(["\x81\x044123"]);
    const messages = create(false);
    messages.transport.send([packet]);
    expect(messages.channel.messages).toEqual(["4123"]);
  });

  it("sends a prepared binary frame as base64 to a client that asked for it", async () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const packet = { type: "message" as const, data: bytes, options: { prepared: prepareFrame(bytes)! } };
    const plain = create(true);
    plain.transport.send([packet]);
    const base64 = create(true, false);
    base64.transport.send([packet]);
    await turnEnd();
    expect(plain.channel.writes).toEqual(["\x82\x04\x01\x02\x03\x04"]);
    expect(base64.channel.writes).toEqual([textFrame("", "bAQIDBA==")]);
  });

  it("writes what was gathered before a control frame or its own close frame", () => {
    const { channel, transport } = create(true);
    transport.send([message("last words")]);
    transport.close("orderly");
    expect(channel.writes).toEqual([textFrame("4", "last words")]);
    expect(channel.isOpen).toBe(false);
  });

  it("does not call back for what did not leave with an orderly close", () => {
    const { channel, transport } = create(true);
    let written = 0;
    transport.send([message("last words")], () => written++);
    transport.close("orderly");
    channel.complete(new Error("EPIPE"));
    expect(written).toBe(0);
  });

  it("does not call back for what was gathered when the far end vanished", async () => {
    const { channel, transport } = create(true);
    let written = 0;
    transport.send([message("too late")], () => written++);
    channel.isOpen = false;
    transport.onClose();
    await turnEnd();
    channel.complete();
    expect(written).toBe(0);
  });

  it("reports a failed write as an error, once", async () => {
    const { channel, transport, events } = create(true);
    transport.send([message("a")]);
    await turnEnd();
    channel.complete(new Error("EPIPE"));
    transport.onClose();
    expect(events.log).toEqual(["error write error"]);
  });
});
