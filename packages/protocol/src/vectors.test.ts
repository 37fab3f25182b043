import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Decoder,
  type DecoderOptions,
  encodeFrame,
  Encoder,
  type EnginePacket,
  FrameDecoder,
  type OutgoingEnginePacket,
  type Packet,
  ProtocolError,
  type ProtocolErrorCode,
  portableCodec,
} from "./index.js";

interface Named {
  source: string;
  name: string;
}

/** Reads a file of vectors, `{ hex }` and `{ zeros }` turned into bytes. */
function load<T>(file: string): T {
  const text = readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8");
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== "object" || value === null) return value;
    if ("hex" in value) return Uint8Array.from(Buffer.from(value.hex as string, "hex"));
    if ("zeros" in value) return new Uint8Array(value.zeros as number);
    return value;
  }) as T;
}

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const title = (vector: Named): string => `${vector.name} (${vector.source})`;
const codec = portableCodec;

describe("engine packets", () => {
  const { encode, decode } = load<{
    encode: Array<Named & { packet: OutgoingEnginePacket; supportsBinary?: boolean; encoded: string | Uint8Array }>;
    decode: Array<Named & { encoded: string | Uint8Array; packet: EnginePacket }>;
  }>("engine-packets.json");

  it.each(encode.map((vector) => [title(vector), vector] as const))("encodes %s", (_, vector) => {
    expect(codec.encodePacket(vector.packet, vector.supportsBinary ?? false)).toStrictEqual(vector.encoded);
  });

  it.each(decode.map((vector) => [title(vector), vector] as const))("decodes %s", (_, vector) => {
    expect(codec.decodePacket(vector.encoded)).toStrictEqual(vector.packet);
  });
});

describe("engine payloads", () => {
  const { encode, decode } = load<{
    encode: Array<Named & { packets: OutgoingEnginePacket[]; payload: string }>;
    decode: Array<Named & { packets: EnginePacket[]; payload: string }>;
  }>("engine-payloads.json");

  it.each(encode.map((vector) => [title(vector), vector] as const))("encodes %s", (_, vector) => {
    expect(codec.encodePayload(vector.packets)).toBe(vector.payload);
  });

  it.each(decode.map((vector) => [title(vector), vector] as const))("decodes %s", (_, vector) => {
    expect(codec.decodePayload(vector.payload)).toStrictEqual(vector.packets);
  });
});

describe("WebTransport frames", () => {
  const { frames, streams } = load<{
    frames: Array<Named & { encoded: string | Uint8Array; header: string; payload: Uint8Array }>;
    streams: Array<Named & { maxPayloadBytes: number; stream: string; packets: EnginePacket[]; error?: string }>;
  }>("webtransport-frames.json");

  it.each(frames.map((vector) => [title(vector), vector] as const))("frames %s", (_, vector) => {
    const [header, payload] = encodeFrame(vector.encoded);
    expect(Buffer.from(header).toString("hex")).toBe(vector.header);
    expect(Buffer.compare(payload, vector.payload)).toBe(0);
  });

  it.each(streams.map((vector) => [title(vector), vector] as const))("reads %s", (_, vector) => {
    const stream = fromHex(vector.stream);
    const whole = new FrameDecoder(vector.maxPayloadBytes, portableCodec);
    expect(whole.push(stream)).toStrictEqual(vector.packets);
    expect(whole.error).toBe(vector.error);
    const bytewise = new FrameDecoder(vector.maxPayloadBytes, portableCodec);
    expect([...stream].flatMap((byte) => bytewise.push(Uint8Array.of(byte)))).toStrictEqual(vector.packets);
    expect(bytewise.error).toBe(vector.error);
  });
});

describe("Socket.IO packets", () => {
  const vectors =
    load<Array<Named & { packet: Packet; chunks: Array<string | Uint8Array>; only?: "encode" | "decode" }>>(
      "socket-packets.json",
    );
  const both = (except: string) =>
    vectors.filter(({ only }) => only !== except).map((vector) => [title(vector), vector] as const);

  it.each(both("decode"))("encodes %s", (_, { packet, chunks }) => {
    expect(new Encoder().encode(packet)).toStrictEqual(chunks);
  });

  it.each(both("encode"))("decodes %s", (_, { packet, chunks }) => {
    const decoder = new Decoder();
    const results = chunks.map((chunk) => decoder.decode(chunk));
    expect(results.pop()).toStrictEqual(packet);
    expect(results.every((result) => result === undefined)).toBe(true);
  });
});

/** All there are: the compiler wants each of them. */
const CODES = Object.keys({
  SIO_UNKNOWN_PACKET_TYPE: true,
  SIO_ILLEGAL_ATTACHMENT_COUNT: true,
  SIO_TOO_MANY_ATTACHMENTS: true,
  SIO_INVALID_PAYLOAD: true,
  SIO_UNEXPECTED_TEXT: true,
  SIO_UNEXPECTED_BINARY: true,
  SIO_ILLEGAL_PLACEHOLDER: true,
  SIO_UNKNOWN_CHUNK_TYPE: true,
  SIO_PARTIAL_PACKET_TOO_LARGE: true,
  SIO_DATA_TOO_DEEP: true,
  EIO_EMPTY_FRAME: true,
  EIO_FRAME_TOO_LARGE: true,
  EIO_INVALID_PACKET: true,
} satisfies Record<ProtocolErrorCode, true>);

describe("refused chunks", () => {
  const vectors =
    load<Array<Named & { chunks: unknown[]; message: string; code: string; options?: DecoderOptions }>>(
      "socket-errors.json",
    );

  it.each(vectors.map((vector) => [title(vector), vector] as const))("refuses %s", (_, vector) => {
    const decoder = new Decoder(vector.options);
    const last = vector.chunks.at(-1);
    for (const chunk of vector.chunks.slice(0, -1)) decoder.decode(chunk);
    let thrown: unknown;
    try {
      decoder.decode(last);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProtocolError);
    expect((thrown as ProtocolError).message).toBe(vector.message);
    expect((thrown as ProtocolError).code).toBe(vector.code);
    // Nothing of the refused packet is left: the next one decodes.
    expect(decoder.decode('2["next"]')).toStrictEqual({ type: 2, nsp: "/", data: ["next"] });
  });

  it("have a vector for every code of a decoding error", () => {
    const streams = load<{ streams: Array<{ error?: string }> }>("webtransport-frames.json").streams;
    const seen = new Set([...vectors.map(({ code }) => code), ...streams.flatMap(({ error }) => error ?? [])]);
    const never = CODES.filter((code) => !seen.has(code));
    // The one code that only encoding knows.
    expect(never).toStrictEqual(["SIO_DATA_TOO_DEEP"]);
  });
});
