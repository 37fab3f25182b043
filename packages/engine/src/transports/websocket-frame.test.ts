import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Writable } from "node:stream";
import * as ws from "ws";
import { binaryFrameHeader, foreignFrame, prepareFrame, textFrame } from "./websocket-frame.js";

// Exported by `ws`, but not in its types.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

/** Reads frames with the parser of `ws`: the outside judge of what we build. */
function read(binaryString: string): Promise<Array<string | Buffer>> {
  return new Promise((resolve, reject) => {
    const messages: Array<string | Buffer> = [];
    const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true });
    receiver.on("message", (data: Buffer, isBinary: boolean) => messages.push(isBinary ? data : data.toString()));
    receiver.on("error", reject);
    receiver.write(Buffer.from(binaryString, "latin1"), () => resolve(messages));
  });
}

const wellFormed = fc.string({ unit: "binary" });

describe("websocket frames", () => {
  it.each([
    ["no bytes", ""],
    ["the longest one-byte length", "a".repeat(125)],
    ["the shortest two-byte length", "a".repeat(126)],
    ["the longest two-byte length", "a".repeat(65535)],
    ["the shortest eight-byte length", "a".repeat(65536)],
    ["a length counted in UTF-8 bytes", "é".repeat(100)],
    ["supplementary planes", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 €"],
  ])("carry %s", async (_what, text) => {
    expect(await read(textFrame("4", text))).toEqual(["4" + text]);
  });

  it("carry any sequence of texts, concatenated", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wellFormed, { minLength: 1, maxLength: 20 }), async (texts) => {
        expect(await read(texts.map((text) => textFrame("4", text)).join(""))).toEqual(texts.map((text) => "4" + text));
      }),
    );
  });

  it("carry bytes behind a binary header", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 70_000 }), async (bytes) => {
        const frame = binaryFrameHeader(bytes.length) + Buffer.from(bytes).toString("latin1");
        expect(await read(frame)).toEqual([Buffer.from(bytes)]);
      }),
      { numRuns: 30 },
    );
  });

  it("write the high word of a length beyond four gigabytes", () => {
    const header = Buffer.from(binaryFrameHeader(2 ** 33 + 5), "latin1");
    expect(header.readBigUInt64BE(2)).toBe(2n ** 33n + 5n);
  });

  it("are the same prepared, as buffers and when converted back", async () => {
    const prepared = prepareFrame('2["héllo"]');
    expect(await read(prepared.binaryString)).toEqual(['42["héllo"]']);
    expect(foreignFrame(prepared.buffers)).toBe(prepared.binaryString);
  });

  it("show a frame of 123 as the third parties know it", () => {
    expect(prepareFrame("123").buffers.map((part) => Buffer.from(part).toString("hex"))).toEqual(["8104", "34313233"]);
  });
});
