import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Encoder, type Packet, PacketType, ProtocolError } from "./index.js";
import { MAX_DATA_DEPTH } from "./binary-extraction.js";

const encoder = new Encoder();
const event = (...args: unknown[]): Packet => ({ type: PacketType.EVENT, nsp: "/", data: ["e", ...args] });
const PLACEHOLDER = '{"_placeholder":true,"num":0}';
const bytes = Uint8Array.of(1, 2, 3);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
}

describe("binary values", () => {
  it.each([
    ["a Uint8Array", bytes],
    ["a Buffer", Buffer.from("abc")],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["an ArrayBuffer of another realm", runInNewContext("new ArrayBuffer(2)") as object],
    ["a Float64Array with an offset", new Float64Array([1, 2, 3]).subarray(1)],
    ["a DataView", new DataView(new ArrayBuffer(4), 1)],
    ["a Blob", new Blob(["abc"])],
  ])("%s travels as an attachment, as it is", (_, value) => {
    const chunks: unknown[] = encoder.encode(event({ deep: [value] }));
    expect(chunks).toHaveLength(2);
    expect(chunks[0]).toBe(`51-["e",{"deep":[${PLACEHOLDER}]}]`);
    expect(chunks[1]).toBe(value);
  });

  it("make an ack a binary ack", () => {
    expect(encoder.encode({ type: PacketType.ACK, nsp: "/a", id: 3, data: [bytes] })).toStrictEqual([
      `61-/a,3[${PLACEHOLDER}]`,
      bytes,
    ]);
  });

  it("are numbered depth first", () => {
    const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    const chunks = encoder.encode(event({ x: [a, { y: b }], z: null }, c));
    expect(chunks.slice(1)).toStrictEqual([a, b, c]);
  });

  it("are found in class instances and objects without prototype", () => {
    class Holder {
      readonly bytes = bytes;
    }
    const bare = Object.assign(Object.create(null) as object, { bytes: bytes.slice() });
    expect(encoder.encode(event(new Holder(), bare))[0]).toBe(
      `52-["e",{"bytes":${PLACEHOLDER}},{"bytes":{"_placeholder":true,"num":1}}]`,
    );
  });

  it("found twice travel once, so that a packet relayed never grows", () => {
    const encoded = encoder.encode(event(bytes, [bytes, { again: bytes }]));
    expect(encoded).toStrictEqual([`51-["e",${PLACEHOLDER},[${PLACEHOLDER},{"again":${PLACEHOLDER}}]]`, bytes]);
  });

  it("are not looked for in inherited properties", () => {
    expect(encoder.encode(event(Object.create({ bytes }) as object))).toStrictEqual(['2["e",{}]']);
  });

  it("keep a key named __proto__ beside them", () => {
    const value = JSON.parse('{"__proto__":{"a":1},"b":null}') as Record<string, unknown>;
    value["b"] = bytes;
    expect(encoder.encode(event(value))[0]).toBe(`51-["e",{"__proto__":{"a":1},"b":${PLACEHOLDER}}]`);
  });

  it("leave everything beside them as JSON has it", () => {
    const values = [new Date(0), new String("ab"), new Number(1), undefined, () => 1, new Map([[1, bytes]]), bytes];
    expect(encoder.encode(event(...values))[0]).toBe(
      `51-["e","1970-01-01T00:00:00.000Z","ab",1,null,null,{},${PLACEHOLDER}]`,
    );
  });

  it("in a CONNECT are not replaced: that packet cannot carry any", () => {
    expect(encoder.encode({ type: PacketType.CONNECT, nsp: "/", data: { a: Int8Array.of(1) } })).toStrictEqual([
      '0{"a":{"0":1}}',
    ]);
  });
});

describe("without a global Blob", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("finds the other binary values", () => {
    vi.stubGlobal("Blob", undefined);
    class Plain {
      readonly a = bytes;
    }
    expect(encoder.encode(event(new Plain()))).toStrictEqual([`51-["e",{"a":${PLACEHOLDER}}]`, bytes]);
  });
});

describe("toJSON", () => {
  it.each([
    ["bytes", () => bytes, PLACEHOLDER],
    ["an object that holds bytes", () => ({ b: bytes }), `{"b":${PLACEHOLDER}}`],
    ["an array that holds bytes", () => [bytes], `[${PLACEHOLDER}]`],
  ])("may return %s", (_, toJSON, json) => {
    expect(encoder.encode(event({ toJSON }))).toStrictEqual([`51-["e",${json}]`, bytes]);
  });

  it.each([
    ["a string", () => "text", '"text"'],
    ["null", () => null, "null"],
    ["a plain object", () => ({ a: 1 }), '{"a":1}'],
    ["an array", () => [1], "[1]"],
  ])("may return %s without binary values", (_, toJSON, json) => {
    expect(encoder.encode(event({ toJSON }))).toStrictEqual([`2["e",${json}]`]);
  });

  it("is called once per value, its result not asked again", () => {
    const inner = vi.fn(() => "wrong");
    const value = { toJSON: () => ({ b: bytes, toJSON: inner }) };
    expect(encoder.encode(event(value))[0]).toBe(`51-["e",{"b":${PLACEHOLDER}}]`);
    expect(inner).not.toHaveBeenCalled();
  });

  it("gets the key of its value, as from JSON.stringify", () => {
    const toJSON = vi.fn((key: string) => key);
    encoder.encode(event({ a: { toJSON }, b: [{ toJSON }] }));
    const keys = toJSON.mock.calls.map(([key]) => key);
    expect(keys.slice(0, 2)).toStrictEqual(["a", "0"]);
    expect(keys.slice(2)).toStrictEqual(["a", "0"]);
  });
});

describe("headers", () => {
  it("take a missing namespace for the main one and null for no id, as untyped callers send them", () => {
    expect(encoder.encode({ type: 2, data: ["e"], id: null } as unknown as Packet)).toStrictEqual(['2["e"]']);
    expect(encoder.encode({ type: 0, nsp: "" })).toStrictEqual(["0"]);
  });

  it("stand alone where data is null or serialises to nothing", () => {
    expect(encoder.encode({ type: PacketType.ACK, nsp: "/", id: 1, data: null })).toStrictEqual(["31"]);
    expect(encoder.encode({ type: PacketType.CONNECT, nsp: "/", data: () => 1 })).toStrictEqual(["0"]);
  });
});

describe("a replacer", () => {
  it("serialises values JSON does not know, beside binary ones too", () => {
    const custom = new Encoder((_key, value) => (typeof value === "bigint" ? `${value}n` : value));
    expect(custom.encode(event(5n))).toStrictEqual(['2["e","5n"]']);
    expect(custom.encode(event(5n, bytes))).toStrictEqual([`51-["e","5n",${PLACEHOLDER}]`, bytes]);
  });
});

describe("data that cannot be sent", () => {
  it("throws at once when circular, and leaves the encoder usable", () => {
    const circular: unknown[] = [];
    circular.push({ circular });
    expect(() => encoder.encode(event(circular))).toThrow(
      new ProtocolError("SIO_DATA_TOO_DEEP", "packet data is circular or nested too deeply"),
    );
    expect(() => encoder.encode({ type: PacketType.CONNECT, nsp: "/", data: circular })).toThrow(TypeError);
    expect(encoder.encode(event())).toStrictEqual(['2["e"]']);
  });

  it("throws at once for a BigInt, and leaves the encoder usable", () => {
    expect(() => encoder.encode(event(1n))).toThrow(TypeError);
    expect(encoder.encode(event())).toStrictEqual(['2["e"]']);
  });

  it("throws beyond the depth it allows, and not before", () => {
    // The list of arguments is the first level.
    expect(encoder.encode(event(nested(MAX_DATA_DEPTH)))).toHaveLength(1);
    expect(() => encoder.encode(event(nested(MAX_DATA_DEPTH + 1)))).toThrow(
      new ProtocolError("SIO_DATA_TOO_DEEP", "packet data is circular or nested too deeply"),
    );
    expect(() => encoder.encode(event(nested(200_000)))).toThrow(
      new ProtocolError("SIO_DATA_TOO_DEEP", "packet data is circular or nested too deeply"),
    );
  });
});

describe("a hundred thousand attachments", () => {
  // What quadratic work on so many exceeds many times over.
  const LINEAR_MS = 2000;

  it("are found in linear time, each once however often it occurs", () => {
    const count = 100_000;
    const all = Array.from({ length: count }, () => new Uint8Array(1));
    const start = performance.now();
    const [text, ...attachments] = encoder.encode(event(all, all));
    expect(performance.now() - start).toBeLessThan(LINEAR_MS);
    const nums = [...String(text).matchAll(/"num":(\d+)/g)].map(([, num]) => Number(num));
    expect(nums.slice(0, count)).toStrictEqual(Array.from({ length: count }, (_, num) => num));
    expect(nums.slice(count)).toStrictEqual(nums.slice(0, count));
    expect(attachments).toHaveLength(count);
  });
});
