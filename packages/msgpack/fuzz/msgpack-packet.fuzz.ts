/*
 * Invariant: any bytes give a packet that keeps to the rules or a ProtocolError, in linear time and bounded memory; what
 * was decoded can be encoded and decoded again without loss; and the decoder goes on as if nothing had been.
 */
import { Decoder, Encoder } from "@plugboard/msgpack";
import { isPacketValid, type Packet, ProtocolError } from "@plugboard/protocol";
import {
  type FuzzInput,
  type FuzzTarget,
  joinBytes,
  jsonText,
  mutateBytes,
  type Random,
} from "@plugboard/testkit/fuzz";

const NAMES = ["CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR"] as const;
const NAMESPACES = ["/", "/admin", "/a,b", "/__proto__", "no slash", 7];
const EVENTS = ["a", "message", "__proto__", "disconnecting", 0, Infinity, null];
/** Beginnings of values: each kind of head, and what is told apart by it. */
const FRAGMENTS = [
  "c1",
  "c400",
  "c4ff",
  "c5ffff",
  "c6ffffffff",
  "c7010000",
  "c70800" + "00".repeat(8),
  "c9ffffffff00",
  "cfffffffffffffffff",
  "cb7ff8000000000000",
  "d40000",
  "d40100",
  "d5ff0000",
  "d6ffffffffff",
  "d700" + "ff".repeat(8),
  "d7ff" + "ff".repeat(8),
  "c70cff" + "ff".repeat(12),
  "dbffffffff",
  "dc0010",
  "ddffffffff",
  "dfffffffff",
  "81a95f5f70726f746f5f5f80",
  "a2ff41",
  "a3eda080",
].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
/** An event up to its list of arguments. */
const HEAD = new Uint8Array(Buffer.from("83a47479706502a36e7370a12fa464617461", "hex"));

const encoder = new Encoder();

function packetBytes(random: Random): Uint8Array {
  const type = random.int(5);
  const args: unknown[] = type === 2 ? [random.pick(EVENTS)] : [];
  for (let left = random.small(4); left > 0; left--) args.push(argument(random));
  const isList = type === 2 || type === 3 || random.oneIn(8);
  const data: unknown = isList ? args : type === 1 ? undefined : { token: argument(random) };
  const packet = { type, nsp: random.pick(NAMESPACES), data, id: random.oneIn(3) ? random.small(1000) : undefined };
  return encoder.encode(packet as Packet)[0];
}

function argument(random: Random): unknown {
  const kind = random.int(8);
  if (kind === 0) return random.bytes(random.small(40));
  if (kind === 1) return new Date(random.next());
  return kind === 2 ? undefined : (JSON.parse(jsonText(random)) as unknown);
}

function generate(random: Random): FuzzInput {
  const kind = random.int(16);
  if (kind === 0) return [random.bytes(random.small(100))];
  if (kind === 1) return [random.text(random.small(20))];
  if (kind < 5) return [joinBytes([HEAD, ...fragments(random)])];
  const bytes = packetBytes(random);
  return [kind < 8 ? bytes : mutateBytes(random, bytes, random.pick(FRAGMENTS))];
}

/** An event whose arguments are these heads, which may announce anything. */
function fragments(random: Random): Uint8Array[] {
  const parts = Array.from({ length: 1 + random.small(6) }, () => random.pick(FRAGMENTS));
  return [Uint8Array.of(0x91 + random.small(parts.length + 1), 0xa1, 0x61), ...parts];
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

function repeat(value: Uint8Array, times: number): Uint8Array {
  const bytes = new Uint8Array(value.length * times);
  for (let i = 0; i < times; i++) bytes.set(value, i * value.length);
  return bytes;
}

/** An event with as many arguments of a kind as have room. */
function eventOf(size: number, hex: string): Uint8Array[] {
  const value = bytesOf(hex);
  const times = Math.floor(size / value.length);
  const count = times + 1;
  return [joinBytes([HEAD, Uint8Array.of(0xdd, 0, count >> 16, count >> 8, count, 0xa1, 0x61), repeat(value, times)])];
}

/** One head over and over, each inside the one before. */
function nested(size: number, hex: string): Uint8Array[] {
  const head = bytesOf(hex);
  return [joinBytes([HEAD, repeat(head, Math.floor(size / head.length))])];
}

/** An event with one argument, which consists of a head of 5 bytes and what that announces. */
function single(size: number, head: number, count: number, rest: (size: number) => Uint8Array): Uint8Array[] {
  const length = [count >> 24, count >> 16, count >> 8, count];
  return [joinBytes([HEAD, Uint8Array.of(0x92, 0xa1, 0x61, head, ...length), rest(size)])];
}

function keys(count: number): Uint8Array {
  const parts = Array.from({ length: count }, (_, i) => {
    const key = Buffer.from(i.toString(36).padStart(4, "k"));
    return Uint8Array.of(0xa0 + key.length, ...key, 0xc0);
  });
  return joinBytes(parts);
}

/** What decoding gave, in a word. */
function describe(packet: Packet): string {
  return `${NAMES[packet.type as 0]}${packet.data === undefined ? " without data" : ""}`;
}

export const target: FuzzTarget = {
  name: "msgpack-packet",
  generate,
  growing: {
    "nested lists": (size) => nested(size, "91"),
    "nested maps": (size) => nested(size, "81a161"),
    "heads of lists that hold too much": (size) => nested(size, "dd000fffff"),
    "heads of maps that hold too much": (size) => nested(size, "df000fffff"),
    "empty maps": (size) => eventOf(size, "80"),
    "empty buffers": (size) => eventOf(size, "c400"),
    "unknown extensions": (size) => eventOf(size, "d40100"),
    dates: (size) => eventOf(size, "d700ffffffffffffffff"),
    numbers: (size) => eventOf(size, "cbffefffffffffffff"),
    "short texts": (size) => eventOf(size, "a2c3a9"),
    "one member over and over": (size) => eventOf(size, "81a17800"),
    "a long text": (size) => single(size, 0xdb, size, (length) => new Uint8Array(length).fill(0x61)),
    "a long text that is no UTF-8": (size) => single(size, 0xdb, size, (length) => new Uint8Array(length).fill(0xed)),
    "a large buffer": (size) => single(size, 0xc6, size, (length) => new Uint8Array(length)),
    "many keys": (size) => single(size, 0xdf, Math.floor(size / 6), (length) => keys(Math.floor(length / 6))),
  },
  open() {
    const decoder = new Decoder();

    function decode(chunk: string | Uint8Array): string {
      let packet: Packet;
      try {
        packet = decoder.decode(chunk);
      } catch (error) {
        if (error instanceof ProtocolError) return error.code;
        throw error;
      }
      if (!isPacketValid(packet) || !packet.nsp.startsWith("/")) throw new Error("the packet is not valid");
      const [again] = encoder.encode(packet);
      const [third] = encoder.encode(decoder.decode(again));
      if (!Buffer.from(again).equals(third)) throw new Error("changed on its way through encoder and decoder");
      return describe(packet);
    }

    const [probe] = encoder.encode({ type: 1, nsp: "/" });
    return {
      run([chunk]) {
        const outcome = decode(chunk as string);
        if (decoder.decode(probe).nsp !== "/") throw new Error("the decoder does not go on");
        return outcome;
      },
    };
  },
};
