import fc from "fast-check";
import { expect, it } from "vitest";
import { ENGINE_PACKET_TYPES, type OutgoingEnginePacket, PACKET_SEPARATOR, portableCodec } from "./index.js";

const codec = portableCodec;

const type = fc.constantFrom(...ENGINE_PACKET_TYPES);
const textPacket = fc.oneof(
  fc.record({ type }),
  fc.record({ type, data: fc.string({ unit: "binary", minLength: 1 }).filter((s) => !s.includes(PACKET_SEPARATOR)) }),
);
const packet: fc.Arbitrary<OutgoingEnginePacket> = fc.oneof(
  textPacket,
  fc.record({ type: fc.constant("message" as const), data: fc.uint8Array() }),
);

it("decodes every packet it encoded, with and without binary support", () => {
  fc.assert(
    fc.property(packet, fc.boolean(), (original, supportsBinary) => {
      expect(codec.decodePacket(codec.encodePacket(original, supportsBinary))).toEqual(original);
    }),
  );
});

it("decodes every payload it encoded", () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1 }), (packets) => {
      expect(codec.decodePayload(codec.encodePayload(packets))).toEqual(packets);
    }),
  );
});

it("answers any text with packets of which at most the last is an error", () => {
  const anything = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom("b", "4", "6", "9", "A=", "é", PACKET_SEPARATOR)).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(anything, fc.nat(5), (text, maxPackets) => {
      const packets = codec.decodePayload(text);
      expect(packets.length).toBeGreaterThan(0);
      expect(packets.slice(0, -1).every((each) => each.type !== "error")).toBe(true);
      expect(codec.decodePayload(text, maxPackets).length).toBeLessThanOrEqual(maxPackets + 1);
    }),
  );
});

it("decodes a payload as the sum of its packets", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const each = text.split(PACKET_SEPARATOR).map((part) => codec.decodePacket(part));
      const firstError = each.findIndex((one) => one.type === "error");
      expect(codec.decodePayload(text)).toEqual(firstError < 0 ? each : each.slice(0, firstError + 1));
    }),
  );
});
