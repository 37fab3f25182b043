import { decode } from "@msgpack/msgpack";
import { type Packet, ProtocolError, RESERVED_EVENTS } from "@plugboard/protocol";
import fc from "fast-check";
import * as reference from "socket.io-msgpack-parser";
import { expect, it } from "vitest";
import { Decoder, Encoder } from "./index.js";

const buffer = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
/** Neither parser delivers a member of this name. */
const key = fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__");
/** What both parsers keep. Neither tells -0 from 0, and the other one loses the upper bits of larger integers. */
const number = fc.double().filter((each) => !Number.isInteger(each) || Math.abs(each) < 2 ** 63);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "grapheme", maxLength: 300 }),
    number.map((each) => each || 0),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    buffer,
    fc.array(fc.oneof(tie("value"), fc.constant(undefined)), { maxLength: 20 }),
    fc.dictionary(key, tie("value"), { maxKeys: 20, noNullPrototype: true }),
  ),
}));
const nsp = fc.string({ unit: "grapheme" }).map((name) => "/" + name);
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
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as never);

function throughReference(chunk: unknown): unknown {
  const decoder = new reference.Decoder();
  let decoded: unknown;
  decoder.on("decoded", (each: unknown) => (decoded = each));
  decoder.add(chunk);
  return decoded;
}

const encoder = new Encoder();
const decoder = new Decoder();

it("decodes every packet it encoded", () => {
  fc.assert(
    fc.property(packet, (original) => {
      expect(decoder.decode(Buffer.from(encoder.encode(original)[0]))).toEqual(original);
    }),
  );
});

it("is understood by socket.io-msgpack-parser", () => {
  fc.assert(
    fc.property(packet, (original) => {
      expect(throughReference(Buffer.from(encoder.encode(original)[0]))).toEqual(original);
    }),
  );
});

it("understands socket.io-msgpack-parser", () => {
  fc.assert(
    fc.property(packet, (original) => {
      const [chunk] = new reference.Encoder().encode(original) as unknown as [Buffer];
      expect(decoder.decode(chunk)).toEqual(original);
    }),
  );
});

it("answers any bytes with a packet that is sound or a declared error, and goes on", () => {
  const damaged = fc.tuple(packet, fc.nat(), fc.nat({ max: 255 }), fc.nat()).map(([each, at, byte, end]) => {
    const bytes = encoder.encode(each)[0];
    bytes[at % bytes.length] = byte;
    return bytes.subarray(0, end % 4 === 0 ? end % bytes.length : undefined);
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array()), (bytes) => {
      try {
        const decoded = decoder.decode(bytes);
        expect(decoder.decode(encoder.encode(decoded)[0]).type).toBe(decoded.type);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
      expect(decoder.decode(encoder.encode({ type: 1, nsp: "/" })[0])).toEqual({ type: 1, nsp: "/" });
    }),
    { numRuns: 2000 },
  );
});

it("writes what any MessagePack library can read", () => {
  fc.assert(
    fc.property(packet, (original) => {
      expect(() => decode(encoder.encode(original)[0])).not.toThrow();
    }),
  );
});
