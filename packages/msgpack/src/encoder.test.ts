import { ProtocolError } from "@plugboard/protocol";
import { describe, expect, it } from "vitest";
import { Encoder } from "./index.js";

const encoder = new Encoder();

function hexOf(argument: unknown): string {
  const [bytes] = encoder.encode({ type: 2, nsp: "/", data: ["a", argument] });
  const head = "83a47479706502a36e7370a12fa46461746192a161";
  const hex = Buffer.from(bytes).toString("hex");
  expect(hex.startsWith(head)).toBe(true);
  return hex.slice(head.length);
}

describe("the MessagePack encoder", () => {
  it("writes a packet as one map of type, namespace, data and id", () => {
    const [bytes, ...more] = encoder.encode({ type: 3, nsp: "/admin", data: [1], id: 7 });
    expect(Buffer.from(bytes).toString("hex")).toBe("84a47479706503a36e7370a62f61646d696ea4646174619101a2696407");
    expect(more).toEqual([]);
  });

  it("writes nothing for what a packet does not have, and nothing that others noted on it", () => {
    const packet = { type: 1, nsp: "/", data: undefined, id: undefined, options: { compress: true }, attachments: 3 };
    const [bytes] = encoder.encode(packet as never);
    expect(Buffer.from(bytes).toString("hex")).toBe("82a47479706501a36e7370a12f");
  });

  it("writes a binary type as its plain twin", () => {
    expect(encoder.encode({ type: 5, nsp: "/", data: ["a"] })).toEqual(
      encoder.encode({ type: 2, nsp: "/", data: ["a"] }),
    );
  });

  it.each([
    ["undefined", undefined, "d40000"],
    ["a function", () => 1, "d40000"],
    ["a symbol", Symbol("x"), "d40000"],
    ["null", null, "c0"],
    ["a date", new Date(1_700_000_000_123), "d7000000018bcfe5687b"],
    ["a date before 1970", new Date(-5), "d700fffffffffffffffb"],
    ["an invalid date", new Date(Number.NaN), "c0"],
    ["a Buffer", Buffer.from([1, 2]), "c4020102"],
    ["a Uint8Array", new Uint8Array([1, 2]), "c4020102"],
    ["one byte", new Uint8Array([0]), "c40100"],
    ["the 8 bytes of a float", new Float64Array([1]), "c408000000000000f03f"],
    ["a view on a part", new Uint8Array([1, 2, 3]).subarray(1, 2), "c40102"],
    ["a DataView", new DataView(new ArrayBuffer(3), 1), "c4020000"],
    ["an ArrayBuffer", new ArrayBuffer(2), "c4020000"],
    ["a large integer", 2 ** 53 - 1, "cf001fffffffffffff"],
    ["not a number", Number.NaN, "cb7ff8000000000000"],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 }), "81a16101"],
    ["an object that leaves something out", { a: undefined, b: 1, c: () => 1 }, "81a16201"],
    ["an object with a member __proto__", JSON.parse('{"__proto__":1,"b":1}'), "81a16201"],
    ["a Map", new Map([[1, 2]]), "80"],
    ["a toJSON that gives a date", { toJSON: () => ({ at: new Date(0) }) }, "81a26174d7000000000000000000"],
    ["a toJSON that gives bytes", { toJSON: () => ({ b: new Uint8Array([7]) }) }, "81a162c40107"],
    ["a toJSON that gives nothing", { toJSON: () => undefined }, "d40000"],
    ["a member whose toJSON gives nothing", { a: { toJSON: () => undefined } }, "80"],
    ["a toJSON that gives an object with a toJSON", { toJSON: () => ({ a: 1, toJSON: () => 2 }) }, "81a16101"],
    ["an array with a hole", Object.assign([], { 1: 1 }), "92d4000001"],
  ])("writes %s", (_title, value, hex) => {
    expect(hexOf(value)).toBe(hex);
  });

  it("hands to toJSON where the value stood", () => {
    const keys: unknown[] = [];
    const value = { toJSON: (key: unknown) => keys.push(key) };
    encoder.encode({ type: 2, nsp: "/", data: ["a", value, { b: value }] });
    expect(keys).toEqual(["1", "b"]);
  });

  it("changes nothing of what it is given", () => {
    const inner = Object.freeze([undefined, new Date(0), new ArrayBuffer(1)]);
    const data = Object.freeze(["a", Object.freeze({ inner, left: undefined })]);
    expect(() => encoder.encode(Object.freeze({ type: 2, nsp: "/", data: data as unknown[] }))).not.toThrow();
    expect(inner[0]).toBeUndefined();
  });

  it("refuses circular data in one clear way", () => {
    const circle: unknown[] = ["a"];
    circle.push({ circle });
    const error = (() => {
      try {
        encoder.encode({ type: 2, nsp: "/", data: circle });
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: "SIO_DATA_TOO_DEEP" });
  });

  it("refuses a BigInt and a Blob, and can go on", () => {
    expect(() => hexOf(1n)).toThrow(/BigInt/);
    expect(() => hexOf(new Blob(["x"]))).toThrow(TypeError);
    expect(hexOf(1)).toBe("01");
  });

  it("gives bytes that later packets do not touch", () => {
    const [first] = encoder.encode({ type: 2, nsp: "/", data: ["a", 1] });
    const before = Buffer.from(first).toString("hex");
    const [large] = encoder.encode({ type: 2, nsp: "/", data: ["a", "x".repeat(100_000)] });
    encoder.encode({ type: 2, nsp: "/", data: ["b", 2] });
    expect(Buffer.from(first).toString("hex")).toBe(before);
    expect(large.length).toBeGreaterThan(100_000);
  });
});
