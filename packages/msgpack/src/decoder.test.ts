import { type Packet, ProtocolError } from "@plugboard/protocol";
import { describe, expect, it, vi } from "vitest";
import parser, { Decoder, Encoder, PacketType, protocol } from "./index.js";

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
const event = (argument: string): Buffer => bytes("83a47479706502a36e7370a12fa46461746192a161" + argument);
const argumentOf = (chunk: unknown): unknown => (new Decoder().decode(chunk).data as unknown[])[1];

function failure(chunk: unknown): ProtocolError {
  try {
    new Decoder().decode(chunk);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("it was decoded");
}

describe("the parser", () => {
  it("is one object of all its parts, for the option of that name", () => {
    expect(parser).toEqual({ Encoder, Decoder, PacketType, protocol });
    expect(protocol).toBe(5);
  });
});

describe("the MessagePack decoder", () => {
  it("gives back what the encoder was given", () => {
    const packet: Packet = { type: 2, nsp: "/admin", data: ["a", { b: [1, null, "é😀"] }], id: 12 };
    const [chunk] = new Encoder().encode(packet);
    expect(new Decoder().decode(chunk)).toEqual(packet);
  });

  it("gives what socket.io-msgpack-parser calls a date and undefined", () => {
    expect(argumentOf(event("d7000000018bcfe5687b"))).toEqual(new Date(1_700_000_000_123));
    expect(argumentOf(event("d700fffffffffffffffb"))).toEqual(new Date(-5));
    expect(new Decoder().decode(event("d40000")).data).toEqual(["a", undefined]);
  });

  it("tells buffers of one and of eight bytes from undefined and from dates", () => {
    expect(argumentOf(event("c7010000"))).toEqual(bytes("00"));
    expect(argumentOf(event("c70800" + "0000018bcfe5687b"))).toEqual(bytes("0000018bcfe5687b"));
    expect(argumentOf(event("c8000800" + "0000018bcfe5687b"))).toEqual(bytes("0000018bcfe5687b"));
    expect(argumentOf(event("c90000000100" + "00"))).toEqual(bytes("00"));
  });

  it("reads times as the MessagePack specification writes them", () => {
    expect(argumentOf(event("d6ff00000001"))).toEqual(new Date(1000));
  });

  it("hands out extensions it does not know as type and bytes", () => {
    expect(argumentOf(event("d40500"))).toEqual([5, bytes("00")]);
    expect(argumentOf(event("d5000102"))).toEqual(bytes("0102"));
  });

  it("gives bytes of the kind of the chunk", () => {
    const chunk = event("92c4020102c401ff");
    expect(argumentOf(chunk)).toEqual([bytes("0102"), bytes("ff")]);
    const view = argumentOf(new Uint8Array(chunk)) as unknown[];
    expect(Buffer.isBuffer(view[0])).toBe(false);
    expect(view[0]).toEqual(new Uint8Array([1, 2]));
    const plain = argumentOf(new Uint8Array(chunk).buffer) as unknown[];
    expect(plain[0]).toBeInstanceOf(ArrayBuffer);
    expect(plain).toEqual([new Uint8Array([1, 2]).buffer, new Uint8Array([255]).buffer]);
  });

  it("leaves dates alone when it hands out ArrayBuffers", () => {
    const chunk = new Uint8Array(event("81a16192d7000000018bcfe5687bc400")).buffer;
    expect(argumentOf(chunk)).toEqual({ a: [new Date(1_700_000_000_123), new ArrayBuffer(0)] });
  });

  it("keeps nothing of a packet that is not part of one", () => {
    const [chunk] = new Encoder().encode({ type: 2, nsp: "/", data: ["a"] });
    const more = Buffer.concat([
      bytes("85"),
      chunk.subarray(1),
      bytes("a76f7074696f6e7380"),
      bytes("ab6174746163686d656e747303"),
    ]);
    expect(new Decoder().decode(more)).toEqual({ type: 2, nsp: "/", data: ["a"] });
  });

  it("tells listeners of each packet, once those of `once`", () => {
    const decoder = new Decoder();
    const [always, once, removed] = [vi.fn(), vi.fn(), vi.fn()];
    decoder.on("decoded", always).once("decoded", once).on("decoded", removed);
    decoder.off("decoded", removed);
    decoder.on("other" as "decoded", removed);
    decoder.add(event("01"));
    decoder.add(event("02"));
    expect(always.mock.calls).toEqual([
      [{ type: 2, nsp: "/", data: ["a", 1] }],
      [{ type: 2, nsp: "/", data: ["a", 2] }],
    ]);
    expect(once).toHaveBeenCalledTimes(1);
    expect(removed).not.toHaveBeenCalled();
    decoder.removeListener("decoded");
    decoder.add(event("03"));
    expect(always).toHaveBeenCalledTimes(2);
    decoder.destroy();
  });
});

describe("what the MessagePack decoder refuses", () => {
  const encode = (packet: object): Uint8Array => new Encoder().encode(packet as Packet)[0];

  it.each([
    ["an event without data", { type: 2, nsp: "/" }],
    ["an event that is no array", { type: 2, nsp: "/", data: { 0: "a" } }],
    ["an event without a name", { type: 2, nsp: "/", data: [] }],
    ["an event of a reserved name", { type: 2, nsp: "/", data: ["disconnect"] }],
    ["an event whose name is not finite", { type: 2, nsp: "/", data: [Infinity] }],
    ["an acknowledgement that is no array", { type: 3, nsp: "/", id: 1, data: "x" }],
    ["a CONNECT with a list", { type: 0, nsp: "/", data: [] }],
    ["a CONNECT with a date", { type: 0, nsp: "/", data: new Date(0) }],
    ["a DISCONNECT with data", { type: 1, nsp: "/", data: [] }],
    ["an error that is a number", { type: 4, nsp: "/", data: 1 }],
    ["a namespace that is a number", { type: 1, nsp: 1 }],
    ["a namespace without a slash", { type: 1, nsp: "admin" }],
    ["an id that is a text", { type: 3, nsp: "/", data: [], id: "1" }],
    ["an id that is negative", { type: 3, nsp: "/", data: [], id: -1 }],
    ["an id that is not safe", { type: 3, nsp: "/", data: [], id: 2 ** 60 }],
    ["an id with a fraction", { type: 3, nsp: "/", data: [], id: 0.5 }],
  ])("%s", (_title, packet) => {
    expect(failure(encode(packet))).toMatchObject({ code: "SIO_INVALID_PAYLOAD", message: "invalid payload" });
  });

  it("types that there are not", () => {
    const typed = (type: string): Buffer => bytes(`82a474797065${type}a36e7370a12f`);
    expect(failure(typed("05")).message).toBe("unknown packet type 5");
    expect(failure(typed("ff")).message).toBe("unknown packet type -1");
    expect(failure(typed("a132")).message).toBe("unknown packet type NaN");
    expect(failure(bytes("90")).message).toBe("unknown packet type NaN");
  });

  it("chunks that are no bytes", () => {
    for (const chunk of ['2["a"]', undefined, null, 1, {}, []]) {
      expect(failure(chunk).code).toBe("SIO_UNKNOWN_CHUNK_TYPE");
    }
  });

  it.each([
    ["nothing", ""],
    ["nil", "c0"],
    ["a number", "01"],
    ["the byte that begins no value", "c1"],
    ["a map that is cut off", "84a474797065"],
    ["a text that is cut off", "82a474797065a5"],
    ["something behind the packet", "82a47479706501a36e7370a12f00"],
    ["a key that is no text", "8190c0"],
    ["a member __proto__", "83a47479706502a36e7370a12fa46461746192a16181a95f5f70726f746f5f5f80"],
    ["a timestamp of a wrong length", "83a47479706502a36e7370a12fa46461746192a161d5ff0000"],
  ])("%s", (_title, hex) => {
    const { code } = failure(bytes(hex));
    expect(code).toBe("SIO_INVALID_PAYLOAD");
    expect({}).not.toHaveProperty("polluted");
  });

  it("says what was wrong underneath, and goes on", () => {
    const decoder = new Decoder();
    expect(() => decoder.decode(bytes("ddffffffff"))).toThrow(
      expect.objectContaining({ cause: expect.any(RangeError) as unknown }),
    );
    expect(decoder.decode(event("01")).data).toEqual(["a", 1]);
  });

  it("heads that announce more than there is, before any memory is reserved for it", () => {
    const nested = Buffer.concat(Array.from({ length: 1000 }, () => bytes("dd01c00000")));
    const start = process.memoryUsage().heapUsed;
    expect(failure(nested).code).toBe("SIO_INVALID_PAYLOAD");
    expect(process.memoryUsage().heapUsed - start).toBeLessThan(50e6);
  });

  it("data that is nested deeper than the encoder allows, and nothing less", () => {
    const nest = (depth: number): unknown[] => {
      let value: unknown[] = [];
      for (let i = 1; i < depth; i++) value = [value];
      return value;
    };
    const deepest = encode({ type: 2, nsp: "/", data: ["a", nest(2000)] });
    expect(new Decoder().decode(deepest).data).toHaveLength(2);
    expect(() => encode({ type: 2, nsp: "/", data: ["a", nest(2001)] })).toThrow(ProtocolError);
    const head = Buffer.from(deepest).subarray(0, 21);
    const deeper = Buffer.concat([head, Buffer.alloc(2001, 0x91), bytes("90")]);
    expect(failure(deeper).code).toBe("SIO_INVALID_PAYLOAD");
  });
});
