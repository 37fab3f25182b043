import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeFrame, type EnginePacket, FrameDecoder, portableCodec } from "./index.js";

const MAX_PAYLOAD_BYTES = 400;

const message = fc.oneof(
  fc.string({ unit: "grapheme" }).map((text) => "4" + text),
  fc.uint8Array({ maxLength: 300 }),
);
const validStream = fc
  .array(message, { maxLength: 6 })
  .map((messages) => new Uint8Array(Buffer.concat(messages.flatMap((each) => encodeFrame(each)))));
/** Frames, bits of frames, and noise that looks like headers. */
const stream = fc
  .array(fc.oneof(validStream, fc.uint8Array({ maxLength: 12 })), { maxLength: 4 })
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

function decodeSplit(
  bytes: Uint8Array,
  cuts: readonly number[],
): { packets: EnginePacket[]; code: string | undefined } {
  const decoder = new FrameDecoder(MAX_PAYLOAD_BYTES, portableCodec);
  const packets: EnginePacket[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    packets.push(...decoder.push(bytes.subarray(start, end)));
    start = end;
  }
  return { packets, code: decoder.error };
}

it("gives the same packets and the same error for any split of a stream", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat()), (bytes, cuts) => {
      const whole = decodeSplit(bytes, []);
      expect(decodeSplit(bytes, cuts)).toEqual(whole);
      expect(decodeSplit(bytes, [...bytes.keys()])).toEqual(whole);
    }),
  );
});

it("decodes every frame it encoded", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
      const decoder = new FrameDecoder(1e6, portableCodec);
      const packets = messages.flatMap((each) => decoder.push(Buffer.concat(encodeFrame(each))));
      const data = messages.map((each) => (typeof each === "string" ? each.slice(1) || undefined : Buffer.from(each)));
      expect(
        packets.map((packet) => packet.data).map((each) => (typeof each === "object" ? Buffer.from(each) : each)),
      ).toEqual(data);
    }),
  );
});
