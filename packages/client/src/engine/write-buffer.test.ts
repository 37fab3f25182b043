import fc from "fast-check";
import { portableCodec } from "@plugboard/protocol";
import { describe, expect, it } from "vitest";
import type { WritePacket } from "../transports/transport.js";
import { countFitting } from "./write-buffer.js";

const codec = portableCodec;
const message = (data: unknown): WritePacket => ({ type: "message", data: data as string });

describe("the packets of one polling payload", () => {
  it("are as many as fit what the server allows, counted in bytes", () => {
    const packets = [99, 30, 30, 35].map((length) => message("a".repeat(length)));
    packets.push(message("€".repeat(33)), message("a".repeat(99)));
    const batches: number[] = [];
    while (packets.length > 0) {
      const batch = packets.splice(0, countFitting(packets, 100));
      batches.push(new TextEncoder().encode(codec.encodePayload(batch)).length);
    }
    expect(batches).toEqual([100, 100, 100, 100]);
  });

  it("are at least one, however large it is", () => {
    expect(countFitting([message("a".repeat(1000)), message("b")], 100)).toBe(1);
  });

  it("never make a payload of several packets that is too large, and never one that could have held the next", () => {
    const data = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.slice().buffer),
      fc.constant(undefined),
    );
    const size = (packets: WritePacket[]): number => new TextEncoder().encode(codec.encodePayload(packets)).length;
    fc.assert(
      fc.property(
        fc.array(data, { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 150 }),
        (values, limit) => {
          const packets = values.map(message);
          const count = countFitting(packets, limit);
          expect(count).toBeGreaterThanOrEqual(1);
          if (count > 1) expect(size(packets.slice(0, count))).toBeLessThanOrEqual(limit);
          if (count < packets.length) expect(size(packets.slice(0, count + 1))).toBeGreaterThan(limit);
        },
      ),
    );
  });
});
