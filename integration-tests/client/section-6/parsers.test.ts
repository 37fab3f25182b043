import { createEngineCodec, Decoder, Encoder, encodeFrame, FrameDecoder } from "@plugboard/protocol";
import { createPacketDecoderStream, createPacketEncoderStream } from "engine.io-parser";
import * as published from "socket.io-parser";
import { describe, expect, it } from "vitest";

interface EnginePacketLike {
  readonly type: string;
  readonly data?: unknown;
}

/** Frames of WebTransport in, packets out. */
type FrameReader = (chunks: readonly Uint8Array[], maxLength: number) => Promise<EnginePacketLike[]>;

const codec = createEngineCodec({
  encodeBase64: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  decodeBase64: (text) => Buffer.from(text, "base64"),
});

function inPlainBytes({ type, data }: EnginePacketLike): EnginePacketLike {
  return { type, data: typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer) };
}

const frameReaders: Record<string, FrameReader> = {
  "@plugboard/protocol": async (chunks, maxLength) => {
    const decoder = new FrameDecoder(maxLength, codec);
    return chunks.flatMap((chunk) => [...decoder.push(chunk)].map(inPlainBytes));
  },
  "engine.io-parser": async (chunks, maxLength) => {
    const stream = createPacketDecoderStream(maxLength, "arraybuffer");
    const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
    for (const chunk of chunks) void writer.write(chunk);
    void writer.close();
    const packets: EnginePacketLike[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return packets;
      packets.push(inPlainBytes(value as EnginePacketLike));
    }
  },
};

const text = (length: number): Uint8Array => Buffer.from(`4${"x".repeat(length - 1)}`);
const frames = [
  { title: "1 byte", header: [5], body: text(5) },
  { title: "2 bytes", header: [126, 0x01, 0x2c], body: text(300) },
  { title: "8 bytes", header: [127, 0, 0, 0, 0, 0, 0, 0x01, 0x2c], body: text(300) },
  { title: "1 byte, binary", header: [0x80 | 3], body: Uint8Array.of(1, 2, 3) },
];

describe.each(Object.entries(frameReaders))("frames of WebTransport read by %s", (_name, read) => {
  const packetOf = (header: readonly number[], body: Uint8Array): EnginePacketLike => ({
    type: "message",
    data: (header[0] as number) & 0x80 ? Uint8Array.from(body) : Buffer.from(body.subarray(1)).toString(),
  });

  it.each(frames)("85: take a length of $title, whole and byte by byte", async ({ header, body }) => {
    const bytes = Buffer.concat([Buffer.from(header), body]);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));

    for (const chunks of [[bytes], single]) {
      expect(await read(chunks, 100_000)).toEqual([packetOf(header, body)]);
    }
  });

  it("85: are read one after another out of one chunk", async () => {
    const bytes = Buffer.concat(frames.flatMap(({ header, body }) => [Buffer.from(header), body]));

    expect(await read([bytes], 100_000)).toEqual(frames.map(({ header, body }) => packetOf(header, body)));
  });

  it.each([
    { title: "of no length", bytes: [0] },
    { title: "longer than allowed", bytes: [12, ...Buffer.from("4xxxxxxxxxxx")] },
    { title: "longer than allowed, in 2 bytes", bytes: [126, 1, 0] },
    { title: "longer than a number can say", bytes: [127, 0, 0x20, 0, 0, 0, 0, 0, 0, 0x34] },
  ])("85: are refused when $title", async ({ bytes }) => {
    expect(await read([Uint8Array.from(bytes)], 10)).toEqual([{ type: "error", data: "parser error" }]);
  });
});

interface ParserUnderTest {
  encode(packet: object): unknown[];
  /** Feeds chunks to one decoder; `undefined` stands for a call of `destroy`. */
  decode(...chunks: unknown[]): unknown[];
}

function parserOf(encoder: { encode(packet: never): unknown[] }, NewDecoder: new () => object): ParserUnderTest {
  interface DecoderLike {
    on(event: "decoded", listener: (packet: unknown) => void): unknown;
    add(chunk: unknown): void;
    destroy(): void;
  }
  return {
    encode: (packet) => encoder.encode(packet as never),
    decode: (...chunks) => {
      const decoder = new NewDecoder() as DecoderLike;
      const packets: unknown[] = [];
      decoder.on("decoded", (packet) => packets.push(packet));
      for (const chunk of chunks) {
        if (chunk === undefined) decoder.destroy();
        else decoder.add(chunk);
      }
      return packets;
    },
  };
}

const parsers: Record<string, ParserUnderTest> = {
  "@plugboard/protocol": parserOf(new Encoder(), Decoder),
  "socket.io-parser": parserOf(new published.Encoder(), published.Decoder),
};

describe.each(Object.entries(parsers))("packets parsed by %s", (_name, { encode, decode }) => {
  const sent = (packet: object): unknown => decode(...encode(packet))[0];

  it("86: decodes again after half a packet was dropped", () => {
    expect(decode('51-["hello"]', undefined, '2["hello"]')).toEqual([{ type: 2, nsp: "/", data: ["hello"] }]);
  });

  it("86: takes a number for the name of an event", () => {
    expect(decode("2[1,2]")).toEqual([{ type: 2, nsp: "/", data: [1, 2] }]);
  });

  it("86: takes objects without a prototype", () => {
    const plain = Object.assign(Object.create(null), { a: 1, bytes: Buffer.from([1]) }) as object;

    expect(sent({ type: 2, nsp: "/", data: ["event", plain] })).toMatchObject({
      data: ["event", { a: 1, bytes: Buffer.from([1]) }],
    });
  });

  it("86: keeps null beside bytes, however deep", () => {
    const data = ["event", { a: null, b: [null, { c: null, bytes: Buffer.from([1]) }] }, null];

    expect(sent({ type: 2, nsp: "/", id: 3, data })).toMatchObject({ id: 3, data });
  });

  it("86: leaves the packet it encodes as it is", () => {
    const packet = { type: 2, nsp: "/", data: ["event", { bytes: Buffer.from([1]) }] };

    encode(packet);

    expect(packet).toEqual({ type: 2, nsp: "/", data: ["event", { bytes: Buffer.from([1]) }] });
  });

  it("86: judges malformed packets as the published parser does", () => {
    const outcome = (parser: ParserUnderTest, chunk: string): unknown => {
      try {
        return parser.decode(chunk);
      } catch {
        return "refused";
      }
    };
    const malformed = ["51-x", '5["hello"]', "22x", '2["connect"]', "2{}", "0[]", "9", "x", "4x", '5999-["hello"]'];

    for (const chunk of [...malformed, "2", "4"]) {
      expect(outcome({ encode, decode }, chunk)).toEqual(
        outcome(parsers["socket.io-parser"] as ParserUnderTest, chunk),
      );
    }
  });
});

describe("both framings", () => {
  it("85: make the same frames", async () => {
    for (const length of [5, 300, 70_000]) {
      const stream = createPacketEncoderStream();
      const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
      const packet = { type: "message", data: "x".repeat(length - 1) } as const;
      void writer.write(packet);
      const theirs = [(await reader.read()).value, (await reader.read()).value] as Uint8Array[];

      const ours = encodeFrame(codec.encodePacket(packet, true));
      expect(Buffer.compare(Buffer.concat(ours), Buffer.concat(theirs))).toBe(0);
    }
  });
});
