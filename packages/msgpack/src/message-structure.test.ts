import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Decoder, encode, ExtData } from "@msgpack/msgpack";
import { checkStructure } from "./message-structure.js";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

/** Where the length of a length changes. */
const LENGTHS = [15, 16, 31, 32, 255, 256, 65_535, 65_536];

/** Whatever MessagePack can say. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.constantFrom(null, true, false),
      fc.double(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.string({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: -128, max: 127 }), fc.uint8Array({ maxLength: 20 }))
        .map(([t, d]) => new ExtData(t, d)),
    ),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 20 }),
  ),
}));

describe("the look at the structure of a message", () => {
  it("lets pass whatever the library writes, whole, and refuses every part of it", () => {
    fc.assert(
      fc.property(value, fc.nat(), (given, cut) => {
        const message = encode(given);
        expect(() => checkStructure(message)).not.toThrow();
        expect(() => checkStructure(message.subarray(0, cut % message.length))).toThrow(RangeError);
        expect(() => checkStructure(new Uint8Array([...message, 0]))).toThrow(RangeError);
      }),
      { numRuns: 300 },
    );
  });

  it.each(LENGTHS)("knows the heads of whatever is %i long", (length) => {
    const list = Array.from({ length }, () => 0);
    const values = [
      "x".repeat(length),
      new Uint8Array(length),
      new ExtData(1, new Uint8Array(length)),
      list,
      { ...list },
    ];
    for (const each of values) {
      const message = encode([each, 1]);
      expect(() => checkStructure(message)).not.toThrow();
      expect(() => checkStructure(message.subarray(0, -1))).toThrow(RangeError);
    }
  });

  it("lets nothing pass that the library then finds cut off", () => {
    const heads = fc.constantFrom(
      ..."00 81 92 a2 c0 c4 c5 c6 c7 c8 c9 ca cf d0 d4 d7 d8 d9 db dc dd de df ff".split(" "),
    );
    const part = fc.oneof(heads, fc.constantFrom("00", "01", "02", "0000"));
    const decoder = new Decoder({ mapKeyConverter: String });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const message = bytes(parts.join(""));
        const passes = ((): boolean => {
          try {
            checkStructure(message);
            return true;
          } catch (error) {
            expect(error instanceof RangeError || error instanceof SyntaxError).toBe(true);
            return false;
          }
        })();
        if (passes) expect(() => decoder.decode(message)).not.toThrow(RangeError);
      }),
      { numRuns: 2000 },
    );
  });

  it("says whether there may be bytes", () => {
    for (const hex of ["c400", "c50000", "c700ff", "92c0c40100", "81c40000"]) {
      expect([hex, checkStructure(bytes(hex))]).toEqual([hex, true]);
    }
    for (const hex of ["c0", "a161", "93010203", "cb0000000000000000"]) {
      expect([hex, checkStructure(bytes(hex))]).toEqual([hex, false]);
    }
  });

  it("looks at a view, not at what lies around it", () => {
    const around = bytes("ffff92c0c0ffff");
    expect(checkStructure(around.subarray(2, 5))).toBe(false);
  });
});
