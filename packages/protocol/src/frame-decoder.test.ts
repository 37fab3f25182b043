import { describe, expect, it } from "vitest";
import { createEngineCodec, encodeFrame, FrameDecoder, ProtocolError, portableCodec } from "./index.js";

const frame = (encoded: string | Uint8Array): Uint8Array => Buffer.concat(encodeFrame(encoded));

describe("encodeFrame", () => {
  it("refuses an empty text, which is no packet", () => {
    expect(() => encodeFrame("")).toThrow(new ProtocolError("EIO_EMPTY_FRAME", "parser error"));
  });

  it("passes bytes on without copying them", () => {
    const bytes = Uint8Array.of(1, 2);
    expect(encodeFrame(bytes)[1]).toBe(bytes);
  });

  it("counts the bytes of a text, not its characters", () => {
    expect(Array.from(encodeFrame("4" + "€".repeat(50))[0])).toStrictEqual([126, 0, 151]);
  });
});

describe("FrameDecoder", () => {
  it("delivers an empty binary message, which travels as text", () => {
    expect(new FrameDecoder(10, portableCodec).push(frame(new Uint8Array(0)))).toEqual([
      { type: "message", data: new Uint8Array(0) },
    ]);
  });

  it("returns nothing for an empty chunk", () => {
    expect(new FrameDecoder(10, portableCodec).push(new Uint8Array(0))).toStrictEqual([]);
  });

  it("is dead after a violation, though more frames follow", () => {
    const decoder = new FrameDecoder(1000, portableCodec);
    expect(decoder.error).toBeUndefined();
    expect(decoder.push(frame(new Uint8Array(4096)))).toStrictEqual([{ type: "error", data: "parser error" }]);
    expect(decoder.error).toBe("EIO_FRAME_TOO_LARGE");
    expect(decoder.push(frame("4a"))).toStrictEqual([]);
    expect(decoder.push(frame("4b"))).toStrictEqual([]);
  });

  it("keeps the packets that came before the violation in the same chunk", () => {
    const decoder = new FrameDecoder(1000, portableCodec);
    expect(decoder.push(Buffer.concat([frame("4a"), Uint8Array.of(0), frame("4b")]))).toStrictEqual([
      { type: "message", data: "a" },
      { type: "error", data: "parser error" },
    ]);
  });

  it("needs no memory for a length that was only announced", () => {
    const decoder = new FrameDecoder(Infinity, portableCodec);
    expect(decoder.push(Uint8Array.of(0xff, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toStrictEqual([]);
    expect(decoder.push(Uint8Array.of(1, 2, 3))).toStrictEqual([]);
    expect(decoder.error).toBeUndefined();
  });

  it("refuses lengths beyond the safe integers though nothing else limits them", () => {
    const decoder = new FrameDecoder(Infinity, portableCodec);
    decoder.push(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
    expect(decoder.error).toBe("EIO_FRAME_TOO_LARGE");
  });

  it("reassembles a megabyte that comes in small pieces", () => {
    const message = Uint8Array.from({ length: 1_000_000 }, (_, i) => i * 13);
    const stream = frame(message);
    const decoder = new FrameDecoder(1_000_000, portableCodec);
    const packets = [];
    for (let at = 0; at < stream.length; at += 37) packets.push(...decoder.push(stream.subarray(at, at + 37)));
    expect(packets).toHaveLength(1);
    expect(Buffer.compare(packets[0]?.data as Uint8Array, message)).toBe(0);
  });

  it("does not take a byte order mark for part of nothing", () => {
    const decoder = new FrameDecoder(100, portableCodec);
    expect(decoder.push(Buffer.concat([Uint8Array.of(5), Buffer.from("\uFEFF4a")]))).toStrictEqual([
      { type: "error", data: "parser error" },
    ]);
  });

  it("decodes payloads with the codec it was given", () => {
    const codec = createEngineCodec({ encodeBase64: () => "", decodeBase64: () => Uint8Array.of(7) });
    expect(new FrameDecoder(100, codec).push(frame("bAQID"))).toStrictEqual([
      { type: "message", data: Uint8Array.of(7) },
    ]);
  });
});
