import { afterEach, describe, expect, it, vi } from "vitest";
import { Decoder, isPacketValid, type Packet, ProtocolError } from "./index.js";

const HEADER = '51-["a",{"_placeholder":true,"num":0}]';
const bytes = Uint8Array.of(1, 2, 3);
const dataOf = (packet: Packet | undefined): unknown[] => packet?.data as unknown[];

describe("listeners", () => {
  it("hear every packet that is added, until removed", () => {
    const decoder = new Decoder();
    const [on, once] = [vi.fn(), vi.fn()];
    expect(decoder.on("decoded", on).once("decoded", once)).toBe(decoder);
    decoder.add("0");
    decoder.add("1");
    expect(on.mock.calls).toStrictEqual([[{ type: 0, nsp: "/" }], [{ type: 1, nsp: "/" }]]);
    expect(once.mock.calls).toStrictEqual([[{ type: 0, nsp: "/" }]]);
    decoder.off("decoded", on).removeListener("decoded", once);
    decoder.add("0");
    expect(on).toHaveBeenCalledTimes(2);
  });

  it("hear a binary packet once it is whole", () => {
    const decoder = new Decoder();
    const listener = vi.fn();
    decoder.on("decoded", listener);
    decoder.add(HEADER);
    expect(listener).not.toHaveBeenCalled();
    decoder.add(bytes);
    expect(listener.mock.calls).toStrictEqual([[{ type: 2, nsp: "/", data: ["a", bytes] }]]);
  });

  it("are removed one registration at a time, or all at once", () => {
    const decoder = new Decoder();
    const [a, b] = [vi.fn(), vi.fn()];
    decoder.on("decoded", a).on("decoded", a).on("decoded", b);
    decoder.off("decoded", a).off("decoded", () => {});
    decoder.add("0");
    expect([a.mock.calls.length, b.mock.calls.length]).toStrictEqual([1, 1]);
    decoder.off();
    decoder.add("0");
    expect([a.mock.calls.length, b.mock.calls.length]).toStrictEqual([1, 1]);
  });

  it("may be added and removed while a packet is announced", () => {
    const decoder = new Decoder();
    const late = vi.fn();
    const first = vi.fn(() => void decoder.off("decoded", first).on("decoded", late));
    const second = vi.fn();
    decoder.on("decoded", first).on("decoded", second);
    decoder.add("0");
    expect([first, second, late].map((each) => each.mock.calls.length)).toStrictEqual([1, 1, 0]);
    decoder.add("0");
    expect([first, second, late].map((each) => each.mock.calls.length)).toStrictEqual([1, 2, 1]);
  });

  it("of other events hear nothing and lose nothing", () => {
    const decoder = new Decoder();
    const [other, decoded] = [vi.fn(), vi.fn()];
    const name = "error" as "decoded";
    decoder.on(name, other).once(name, other).on("decoded", decoded).off(name);
    decoder.add("0");
    expect(other).not.toHaveBeenCalled();
    expect(decoded).toHaveBeenCalledTimes(1);
  });
});

describe("options", () => {
  const revive = (_key: string, value: unknown): unknown => (value === "1n" ? 1n : value);

  it.each([
    ["a function", revive],
    ["an option", { reviver: revive }],
  ])("take a reviver as %s", (_, options) => {
    expect(new Decoder(options).decode('2["a","1n"]')?.data).toStrictEqual(["a", 1n]);
  });

  it("report what a reviver throws as an invalid payload, with its cause", () => {
    const cause = new Error("not mine");
    const decoder = new Decoder(() => {
      throw cause;
    });
    expect(() => decoder.decode('2["a"]')).toThrow(expect.objectContaining({ message: "invalid payload", cause }));
  });

  it("allow more attachments", () => {
    const decoder = new Decoder({ maxAttachments: 11 });
    expect(decoder.decode('511-["a"]')).toBeUndefined();
  });

  it("bound the bytes of a partial packet, those of its text included", () => {
    const decoder = new Decoder({ maxPartialBytes: 20 });
    expect(decoder.decode('52-["a"]')).toBeUndefined();
    expect(decoder.decode(new Uint8Array(11))).toBeUndefined();
    expect(decoder.decode(new Uint8Array(1))).toStrictEqual({ type: 2, nsp: "/", data: ["a"] });
    decoder.decode('52-["a"]');
    expect(() => decoder.decode(new Uint8Array(13))).toThrow(
      new ProtocolError("SIO_PARTIAL_PACKET_TOO_LARGE", "too many bytes in attachments"),
    );
    expect(() => decoder.decode(new Uint8Array(1))).toThrow(
      new ProtocolError("SIO_UNEXPECTED_BINARY", "got binary data when not reconstructing a packet"),
    );
  });
});

describe("attachments", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["a Buffer", Buffer.from("abc")],
    ["an ArrayBuffer", new ArrayBuffer(3)],
    ["a view", new Int16Array(3)],
    ["a Blob", new Blob(["abc"])],
  ])("may come as %s", (_, chunk) => {
    const decoder = new Decoder();
    decoder.decode(HEADER);
    expect(dataOf(decoder.decode(chunk))[1]).toBe(chunk);
  });

  it("are dropped by destroy, after which the decoder goes on", () => {
    const decoder = new Decoder();
    decoder.decode('51-["hello"]');
    decoder.destroy();
    expect(decoder.decode('2["hello"]')).toStrictEqual({ type: 2, nsp: "/", data: ["hello"] });
  });

  it("never reach a prototype", () => {
    const decoder = new Decoder();
    decoder.decode('51-["a",{"__proto__":{"_placeholder":true,"num":0}},{"constructor":{"prototype":{"x":1}}}]');
    const data = dataOf(decoder.decode(bytes)) as [string, object];
    expect(Object.getPrototypeOf(data[1])).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(data[1], "__proto__")?.value).toBe(bytes);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it("find placeholders however deep they stand", () => {
    const depth = 100_000;
    const decoder = new Decoder();
    decoder.decode(`51-["a",${'{"b":['.repeat(depth)}{"_placeholder":true,"num":0}${"]}".repeat(depth)}]`);
    let value = dataOf(decoder.decode(bytes))[1];
    for (let i = 0; i < depth; i++) value = (value as { b: unknown[] }).b[0];
    expect(value).toBe(bytes);
  });

  it("find placeholders among shared and circular values of a reviver", () => {
    const shared: Record<string, unknown> = { bytes: { _placeholder: true, num: 0 } };
    shared["self"] = shared;
    const decoder = new Decoder((_key, value) => (value === "shared" ? shared : value));
    decoder.decode('51-["a","shared","shared"]');
    decoder.decode(bytes);
    expect(shared["bytes"]).toBe(bytes);
  });

  it("refuse a placeholder in an object a reviver froze", () => {
    const decoder = new Decoder((_key, value) => Object.freeze(value));
    decoder.decode(HEADER);
    expect(() => decoder.decode(bytes)).toThrow(new ProtocolError("SIO_ILLEGAL_PLACEHOLDER", "illegal attachments"));
  });
});

describe("chunks of no known kind", () => {
  it.each([
    [undefined, "Unknown type: undefined"],
    [null, "Unknown type: null"],
    [12n, "Unknown type: 12"],
    [Symbol("s"), "Unknown type: Symbol(s)"],
    [Object.create(null), "Unknown type: [object Object]"],
  ])("are refused: %s", (chunk, message) => {
    expect(() => new Decoder().decode(chunk)).toThrow(message);
  });
});

it("takes time in proportion to what it is given", () => {
  const decoder = new Decoder();
  const long = 1_000_000;
  expect(decoder.decode("0/" + "a".repeat(long))?.nsp).toHaveLength(long + 1);
  expect(() => decoder.decode("2" + "1".repeat(long))).toThrow("invalid payload");
  expect(() => decoder.decode("5" + "1".repeat(long))).toThrow("Illegal attachments");
  expect(() => decoder.decode("2" + "[".repeat(long))).toThrow("invalid payload");
});

describe("isPacketValid", () => {
  const packet = (fields: object): Packet => ({ nsp: "/", ...fields }) as Packet;

  it.each([
    [{ type: 0 }, true],
    [{ type: 0, data: {} }, true],
    [{ type: 0, data: Object.create(null) as object }, true],
    [{ type: 0, data: "x" }, false],
    [{ type: 0, data: null }, false],
    [{ type: 1 }, true],
    [{ type: 1, data: {} }, false],
    [{ type: 2, data: ["a"] }, true],
    [{ type: 2, data: [1] }, true],
    [{ type: 2, data: ["connect"] }, false],
    [{ type: 2, data: [] }, false],
    [{ type: 2, data: [{}] }, false],
    [{ type: 2 }, false],
    [{ type: 3, data: [] }, true],
    [{ type: 3, data: {} }, false],
    [{ type: 3 }, false],
    [{ type: 4, data: "x" }, true],
    [{ type: 4, data: {} }, true],
    [{ type: 4, data: [] }, false],
    [{ type: 5, data: ["a"] }, false],
    [{ type: 6, data: [] }, false],
    [{ type: 7, data: [] }, false],
    [{ type: -1, data: [] }, false],
    [{ type: "2", data: ["a"] }, false],
    [{ type: 3, data: [], id: 1 }, true],
    [{ type: 3, data: [], id: 1.5 }, false],
    [{ type: 3, data: [], id: "1" }, false],
    [{ type: 3, data: [], nsp: 1 }, false],
  ])("judges %j: %s", (fields, valid) => {
    expect(isPacketValid(packet(fields))).toBe(valid);
  });
});
