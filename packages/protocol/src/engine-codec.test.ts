import { describe, expect, it } from "vitest";
import { createEngineCodec, type OutgoingEnginePacket, portableCodec } from "./index.js";

const codec = portableCodec;
const bytes = Uint8Array.of(9, 1, 2, 3, 9);

describe("encodePacket", () => {
  it.each([
    ["a Uint8Array", bytes.subarray(1, 4)],
    ["a Buffer", Buffer.from(bytes).subarray(1, 4)],
    ["an ArrayBuffer", Uint8Array.of(1, 2, 3).buffer],
    ["a DataView", new DataView(bytes.buffer, 1, 3)],
    ["an Int8Array", new Int8Array(bytes.buffer, 1, 3)],
  ])("sends exactly the bytes %s shows", (_, data) => {
    const encoded = codec.encodePacket({ type: "message", data }, true);
    expect(Array.from(encoded as Uint8Array)).toStrictEqual([1, 2, 3]);
    expect(codec.encodePacket({ type: "message", data }, false)).toBe("bAQID");
  });

  it("sees the bytes of wider elements without copying them", () => {
    const data = new Int32Array([1, 2]).subarray(1);
    const encoded = codec.encodePacket({ type: "message", data }, true) as Uint8Array;
    expect(encoded.buffer).toBe(data.buffer);
    expect(Array.from(encoded)).toStrictEqual([2, 0, 0, 0]);
  });

  it("passes a Uint8Array on as it is", () => {
    expect(codec.encodePacket({ type: "message", data: bytes }, true)).toBe(bytes);
  });

  it("sends bytes as a message whatever the packet says", () => {
    expect(codec.encodePacket({ type: "ping", data: bytes.subarray(1, 4) }, false)).toBe("bAQID");
  });

  it("sends falsy data as nothing and other data as text", () => {
    const untyped = (data: unknown): string | Uint8Array =>
      codec.encodePacket({ type: "message", data } as OutgoingEnginePacket, true);
    expect([null, false, 0, "", true, 12, { a: 1 }].map(untyped)).toStrictEqual([
      "4",
      "4",
      "4",
      "4",
      "4true",
      "412",
      "4[object Object]",
    ]);
  });
});

describe("decodePacket", () => {
  it("takes bytes as a message, without copying them", () => {
    expect(codec.decodePacket(bytes)).toStrictEqual({ type: "message", data: bytes });
    expect(codec.decodePacket(bytes).data).toBe(bytes);
    expect(codec.decodePacket(bytes.buffer)).toStrictEqual({ type: "message", data: bytes });
  });

  it("leaves base64 to its host", () => {
    const host = { encodeBase64: () => "encoded", decodeBase64: () => Uint8Array.of(7) };
    const hosted = createEngineCodec(host);
    expect(hosted.encodePacket({ type: "message", data: bytes }, false)).toBe("bencoded");
    expect(hosted.decodePacket("bxyz")).toStrictEqual({ type: "message", data: Uint8Array.of(7) });
  });
});

describe("payloads", () => {
  it("leave out packets that are appended while encoding", () => {
    const packets: OutgoingEnginePacket[] = [];
    packets.push({
      type: "message",
      get data() {
        packets.push({ type: "noop" });
        return "a";
      },
    });
    packets.push({ type: "ping" });
    expect(codec.encodePayload(packets)).toBe("4a\x1e2");
    expect(packets.length).toBeGreaterThan(2);
  });

  it("are empty for no packets", () => {
    expect(codec.encodePayload([])).toBe("");
  });

  it("may hold 100,000 packets", () => {
    const packets = Array.from({ length: 100_000 }, (): OutgoingEnginePacket => ({ type: "message", data: "a" }));
    expect(codec.decodePayload(codec.encodePayload(packets))).toStrictEqual(packets);
  });

  it("end in an error where they hold one packet more than allowed", () => {
    expect(codec.decodePayload("2\x1e3", 2)).toStrictEqual([{ type: "ping" }, { type: "pong" }]);
    expect(codec.decodePayload("2\x1e3\x1e6\x1e6", 2)).toStrictEqual([
      { type: "ping" },
      { type: "pong" },
      { type: "error", data: "parser error" },
    ]);
  });
});
