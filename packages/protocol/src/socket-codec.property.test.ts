import fc from "fast-check";
import { expect, it } from "vitest";
import { Decoder, Encoder, type Packet, ProtocolError, RESERVED_EVENTS } from "./index.js";

const bytes = fc.uint8Array({ maxLength: 8 });
/** `__proto__` has unit tests of its own: comparing objects that own it is more than `toEqual` promises. */
const key = fc.string().filter((name) => name !== "__proto__");
/** What JSON keeps, and bytes. -0 is left out: JSON does not keep it. */
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "grapheme" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number || 0),
    fc.boolean(),
    fc.constant(null),
    bytes,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const nsp = fc.oneof(
  fc.constant("/"),
  fc.string({ unit: "grapheme" }).map((name) => "/" + name.replaceAll(",", "")),
);
const id = fc.option(fc.maxSafeNat(), { nil: undefined });
const eventName = fc.oneof(
  fc.string().filter((name) => !RESERVED_EVENTS.has(name)),
  fc.nat(),
);
const args = fc.array(value, { maxLength: 4 });
const plain = fc.dictionary(key, fc.string(), { noNullPrototype: true });

const packet: fc.Arbitrary<Packet> = fc
  .oneof(
    fc.record({ type: fc.constant(0 as const), nsp, data: fc.option(plain, { nil: undefined }) }),
    fc.record({ type: fc.constant(1 as const), nsp }),
    fc.record({ type: fc.constant(2 as const), nsp, id, data: fc.tuple(eventName, args).map(([n, a]) => [n, ...a]) }),
    fc.record({ type: fc.constant(3 as const), nsp, id, data: args }),
    fc.record({ type: fc.constant(4 as const), nsp, data: fc.oneof(plain, fc.string()) }),
  )
  .map((fields) => withoutUndefined(fields));

/** Absent rather than undefined, as in decoded packets. */
function withoutUndefined(fields: object): Packet {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as unknown as Packet;
}

function deepFreeze(given: unknown): void {
  if (typeof given !== "object" || given === null || ArrayBuffer.isView(given)) return;
  Object.freeze(given);
  Object.values(given).forEach(deepFreeze);
}

const encoder = new Encoder();
const generous = { maxAttachments: Infinity };

it("decodes every packet it encoded", () => {
  fc.assert(
    fc.property(packet, (original) => {
      const decoder = new Decoder(generous);
      const results = encoder.encode(original).map((chunk) => decoder.decode(chunk));
      expect(results.pop()).toEqual(original);
      expect(results.every((result) => result === undefined)).toBe(true);
    }),
  );
});

it("decodes a sequence of packets as each of them alone", () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 5 }), (packets) => {
      const decoder = new Decoder(generous);
      const decoded: Packet[] = [];
      decoder.on("decoded", (each) => decoded.push(each));
      for (const chunk of packets.flatMap((each) => encoder.encode(each))) decoder.add(chunk);
      expect(decoded).toEqual(packets);
    }),
  );
});

it("never changes what it encodes", () => {
  fc.assert(
    fc.property(packet, (original) => {
      deepFreeze(original);
      const before = structuredClone(original);
      encoder.encode(original);
      expect(original).toEqual(before);
    }),
  );
});

it("answers any chunks with packets or declared errors, and goes on after each error", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(
        fc.constantFrom(
          "0",
          "2",
          "3",
          "51-",
          "62-",
          "/",
          "a",
          ",",
          "1",
          '["a"',
          "[",
          "]",
          "{",
          "}",
          '"',
          " ",
          '{"_placeholder":true,"num":0}',
        ),
      )
      .map((parts) => parts.join("")),
  );
  const chunk = fc.oneof({ weight: 5, arbitrary: text }, { weight: 3, arbitrary: bytes }, fc.anything());
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const decoder = new Decoder();
      for (const each of chunks) {
        try {
          decoder.decode(each);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect(decoder.decode("1")).toEqual({ type: 1, nsp: "/" });
        }
      }
    }),
  );
});
