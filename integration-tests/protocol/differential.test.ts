import {
  createPacketDecoderStream,
  createPacketEncoderStream,
  decodePacket as theirDecodePacket,
  decodePayload as theirDecodePayload,
  encodePacket as theirEncodePacket,
  encodePayload as theirEncodePayload,
} from "engine.io-parser";
import fc from "fast-check";
import * as theirs from "socket.io-parser";
import { describe, expect, it } from "vitest";
import {
  createEngineCodec,
  Decoder,
  encodeFrame,
  Encoder,
  ENGINE_PACKET_TYPES,
  type EnginePacket,
  FrameDecoder,
  isPacketValid,
  type OutgoingEnginePacket,
  type Packet,
  RESERVED_EVENTS,
  portableCodec,
} from "@plugboard/protocol";

// Our codecs against the published ones: what one side encodes the other must decode, and what both are given at random
// they must judge alike. Where we differ on purpose, the test says so.

const bytes = fc.uint8Array({ maxLength: 12 });
const asBuffer = (given: unknown): unknown => (given instanceof Uint8Array ? Buffer.from(given) : given);

describe("Engine.IO", () => {
  const codec = createEngineCodec({
    encodeBase64: (data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    decodeBase64: (text) => Buffer.from(text, "base64"),
  });
  const portable = portableCodec;
  const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((data) => !data.includes("\x1e"));
  const packet: fc.Arbitrary<OutgoingEnginePacket> = fc.oneof(
    fc.record({ type: fc.constantFrom(...ENGINE_PACKET_TYPES) }),
    fc.record({ type: fc.constantFrom(...ENGINE_PACKET_TYPES), data: text }),
    fc.record({ type: fc.constant("message" as const), data: bytes }),
  );
  type Theirs = Parameters<typeof theirEncodePacket>[0];

  function theirEncoding(given: OutgoingEnginePacket, supportsBinary: boolean): string | Uint8Array {
    let encoded: unknown;
    theirEncodePacket(given as Theirs, supportsBinary, (result) => (encoded = result));
    return encoded as string | Uint8Array;
  }

  it("encodes packets to the same text and the same bytes", () => {
    fc.assert(
      fc.property(packet, fc.boolean(), (given, supportsBinary) => {
        expect(codec.encodePacket(given, supportsBinary)).toEqual(theirEncoding(given, supportsBinary));
        expect(portable.encodePacket(given, supportsBinary)).toEqual(theirEncoding(given, supportsBinary));
      }),
    );
  });

  it("encodes payloads to the same text", () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 8 }), (packets) => {
        let encoded = "";
        theirEncodePayload(packets as Theirs[], (result) => (encoded = result));
        expect(codec.encodePayload(packets)).toBe(encoded);
        expect(theirDecodePayload(encoded)).toEqual(codec.decodePayload(encoded));
      }),
    );
  });

  it("decodes any text to the same packets", () => {
    const soup = fc
      .array(fc.constantFrom("b", "4", "1", "9", "QQ==", "-_", "é", "\x1e"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), soup), (given) => {
        expect(codec.decodePacket(given)).toEqual(theirDecodePacket(given));
        expect(codec.decodePayload(given)).toEqual(theirDecodePayload(given));
      }),
    );
  });

  async function throughTheirDecoder(chunks: Uint8Array[], maxPayload: number): Promise<EnginePacket[]> {
    // `createPacketDecoderStream` is typed without the Web Streams of Node.
    const stream = createPacketDecoderStream(maxPayload, "nodebuffer") as unknown as TransformStream;
    const writer = stream.writable.getWriter();
    void Promise.all(chunks.map((chunk) => writer.write(chunk))).then(() => writer.close());
    const packets: EnginePacket[] = [];
    for await (const each of stream.readable) packets.push(each as EnginePacket);
    return packets;
  }

  async function throughTheirEncoder(packets: OutgoingEnginePacket[]): Promise<Uint8Array[]> {
    const stream = createPacketEncoderStream() as unknown as TransformStream;
    const writer = stream.writable.getWriter();
    void Promise.all(packets.map((each) => writer.write(each))).then(() => writer.close());
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream.readable) chunks.push(chunk as Uint8Array);
    return chunks;
  }

  const framed = fc.array(packet, { maxLength: 6 });
  const decoded = (given: OutgoingEnginePacket): unknown => ({
    ...given,
    ...("data" in given && { data: asBuffer(given.data) }),
  });

  it("frames packets so that the published WebTransport decoder reads them, empty messages included", async () => {
    await fc.assert(
      fc.asyncProperty(framed, async (packets) => {
        const chunks = packets.flatMap((each) => encodeFrame(codec.encodePacket(each, true)));
        expect(await throughTheirDecoder(chunks, 1e6)).toEqual(packets.map(decoded));
      }),
    );
  });

  it("reads the frames of the published WebTransport encoder", async () => {
    // Theirs frames an empty message with length 0, which neither decoder takes.
    const notEmpty = framed.map((packets) =>
      packets.filter(({ data }) => typeof data !== "object" || data.byteLength > 0),
    );
    const long = fc
      .constantFrom(125, 126, 65_535, 65_536)
      .map((size) => ({ type: "message" as const, data: new Uint8Array(size) }));
    await fc.assert(
      fc.asyncProperty(notEmpty, long, async (packets, last) => {
        const all = [...packets, last];
        const decoder = new FrameDecoder(1e6, codec);
        const read = (await throughTheirEncoder(all)).flatMap((chunk) => decoder.push(chunk));
        expect(read.map(decoded as (each: EnginePacket) => unknown)).toEqual(all.map(decoded));
      }),
      { numRuns: 10 },
    );
  });
});

describe("Socket.IO", () => {
  const key = fc.string().filter((name) => name !== "__proto__");
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: "grapheme" }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      bytes,
      fc.date({ noInvalidDate: true }),
      bytes.map((data) => ({ toJSON: () => ({ data }) })),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));
  const nsp = fc.oneof(
    fc.constant("/"),
    fc.string({ unit: "grapheme" }).map((name) => "/" + name.replaceAll(",", "")),
  );
  const id = fc.maxSafeNat();
  const name = fc.string().filter((each) => !RESERVED_EVENTS.has(each));
  const args = fc.array(value, { maxLength: 3 });
  const packet: fc.Arbitrary<Packet> = fc.oneof(
    fc.record({ type: fc.constant(0 as const), nsp, data: fc.dictionary(key, fc.string(), { noNullPrototype: true }) }),
    fc.record({ type: fc.constant(1 as const), nsp }),
    fc.record({
      type: fc.constant(2 as const),
      nsp,
      data: fc.tuple(name, args).map(([event, rest]) => [event, ...rest]),
    }),
    fc.record({ type: fc.constant(3 as const), nsp, id, data: args }),
    fc.record({ type: fc.constant(4 as const), nsp, data: fc.record({ message: fc.string() }) }),
  );

  const theirEncoder = new theirs.Encoder();
  const encoder = new Encoder();

  /** What the published decoder makes of the chunks: its packets, or the message of its first error. */
  function theirVerdict(chunks: readonly unknown[]): unknown {
    const decoder = new theirs.Decoder({ maxAttachments: 50 });
    const packets: unknown[] = [];
    decoder.on("decoded", (each) => packets.push(each));
    try {
      for (const chunk of chunks) decoder.add(chunk);
      return packets;
    } catch (error) {
      return (error as Error).message;
    }
  }

  function ourVerdict(chunks: readonly unknown[]): unknown {
    const decoder = new Decoder({ maxAttachments: 50 });
    const packets: unknown[] = [];
    decoder.on("decoded", (each) => packets.push(each));
    try {
      for (const chunk of chunks) decoder.add(chunk);
      return packets;
    } catch (error) {
      return (error as Error).message;
    }
  }

  it("encodes packets to the same chunks, which both decode alike", () => {
    fc.assert(
      fc.property(packet, (given) => {
        const chunks = encoder.encode(given);
        expect(chunks).toEqual(theirEncoder.encode(given as unknown as theirs.Packet));
        fc.pre(chunks.length <= 50);
        expect(theirVerdict(chunks)).toEqual(ourVerdict(chunks));
        expect(ourVerdict(chunks)).toHaveLength(1);
      }),
    );
  });

  it("judges any text alike, but for what we refuse on purpose", () => {
    const soup = fc
      .array(
        fc.constantFrom(
          "0",
          "1",
          "2",
          "3",
          "4",
          "5",
          "6",
          "51-",
          "62-",
          "-",
          "/",
          "a",
          ",",
          '["a"',
          "[",
          "]",
          "{",
          "}",
          "null",
        ),
        { minLength: 1 },
      )
      .map((parts) => parts.join(""));
    const valid = packet.map((given) => encoder.encode(given)[0] as string);
    const digits = /^(?:[56]\d*-)?(?:\/[^,]*,)?(\d*)/;
    fc.assert(
      fc.property(fc.oneof(soup, valid), (text) => {
        // Ours refuses ids beyond the safe integers, which theirs rounds.
        fc.pre(Number(digits.exec(text.slice(1))?.[1] ?? 0) <= Number.MAX_SAFE_INTEGER);
        expect(ourVerdict([text])).toEqual(theirVerdict([text]));
      }),
      { numRuns: 2000 },
    );
  });

  it("judges packets alike", () => {
    const anyPacket = fc.record({
      type: fc.integer({ min: -1, max: 8 }),
      nsp: fc.oneof(fc.string(), fc.nat()),
      id: fc.oneof(fc.constant(undefined), fc.nat(), fc.string()),
      data: fc.oneof(
        fc.anything(),
        fc.array(fc.oneof(fc.constantFrom(...RESERVED_EVENTS), fc.string(), fc.nat(), fc.anything())),
      ),
    });
    fc.assert(
      fc.property(anyPacket, (given) => {
        expect(isPacketValid(given as Packet)).toBe(theirs.isPacketValid(given as unknown as theirs.Packet));
      }),
      { numRuns: 1000 },
    );
  });
});
