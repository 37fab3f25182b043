/*
 * Invariant: any sequence of texts and bytes gives packets that keep to the rules and ProtocolErrors, in linear time and
 * bounded memory; what was decoded can be encoded and decoded again without loss; and the decoder goes on afterwards.
 */
import { Decoder, type Packet } from "@plugboard/protocol";
import { type FuzzInput, type FuzzTarget, mutateText, packetText, type Random } from "@plugboard/testkit/fuzz";
import { checkData, checkPacket, declaredCode, describePacket, encodeAgain } from "./decoded-packet.js";

const GRAMMAR = { namespaces: ["/", "/admin", "/__proto__"], events: ["a", "message", "__proto__"] };
const MAX_PARTIAL_BYTES = 11_000_000;

/** A binary packet and about as many attachments as it announces, in about the right order. */
function generate(random: Random): FuzzInput {
  const chunks: Array<string | Uint8Array> = [];
  for (let left = 1 + random.small(3); left > 0; left--) {
    const text = binaryText(random);
    const count = Number(/^.(\d*)/.exec(text)?.[1]) % 12;
    chunks.push(random.oneIn(2) ? text : mutateText(random, text, binaryText(random)));
    const attachments = random.oneIn(8) ? random.int(12) : count;
    for (let i = 0; i < attachments; i++) chunks.push(random.bytes(random.small(40)));
  }
  if (random.oneIn(8)) chunks.splice(random.int(chunks.length), 1);
  return chunks;
}

function binaryText(random: Random): string {
  const text = packetText(random, GRAMMAR);
  return random.oneIn(8) ? text : text.replace(/^./, random.pick(["5", "6"])).replace(/^(.)(?!\d+-)/, "$11-");
}

const header = (count: number, json: string): string => `5${count}-${json}`;
const placeholders = (size: number, num: string): string =>
  `["a"${`,{"_placeholder":true,"num":${num}}`.repeat(size / 30)}]`;

export const target: FuzzTarget = {
  name: "packet-binary",
  generate,
  growing: {
    "many placeholders": (size) => [header(1, placeholders(size, "0")), new Uint8Array(1)],
    "many illegal placeholders": (size) => [header(1, placeholders(size, "1")), new Uint8Array(1)],
    "nested arrays": (size) => [header(1, `["a",${"[".repeat(size / 2)}${"]".repeat(size / 2)}]`), new Uint8Array(1)],
    "nested placeholders": (size) => [
      header(1, `["a",${'{"_placeholder":true,"num":'.repeat(size / 27)}0${"}".repeat(size / 27)}]`),
      new Uint8Array(1),
    ],
    "nested objects": (size) => [
      header(1, `["a",${'{"a":'.repeat(size / 6)}1${"}".repeat(size / 6)}]`),
      new Uint8Array(1),
    ],
    "large attachments": (size) => [header(10, '["a"]'), ...Array.from({ length: 10 }, () => new Uint8Array(size))],
    "attachments nobody asked for": (size) => Array.from({ length: size / 16 }, () => new Uint8Array(16)),
    "headers over and over": (size) => Array.from({ length: size / 8 }, () => header(9, '["a"]')),
  },
  open() {
    const decoder = new Decoder({ maxPartialBytes: MAX_PARTIAL_BYTES });
    const second = new Decoder();

    function decode(chunk: string | Uint8Array): string | undefined {
      let packet: Packet | undefined;
      try {
        packet = decoder.decode(chunk);
      } catch (error) {
        return declaredCode(error);
      }
      if (packet === undefined) return undefined;
      checkPacket(packet);
      if (typeof packet.data === "object" && packet.data !== null) checkData(packet.data);
      const chunks = encodeAgain(packet);
      if (chunks !== undefined) checkSameAgain(chunks);
      return describePacket(packet);
    }

    function checkSameAgain(chunks: Array<string | Uint8Array>): void {
      // More attachments than announced come out when one placeholder was written several times.
      if (chunks.length > 10) return;
      let decoded: Packet | undefined;
      for (const chunk of chunks) decoded = second.decode(chunk);
      const again = encodeAgain(decoded as Packet) ?? [];
      const same = chunks.every((chunk, index) => Buffer.from(chunk).equals(Buffer.from(again[index] ?? "")));
      if (!same) throw new Error(`changed on its way through encoder and decoder: ${String(chunks[0])}`);
    }

    return {
      run(input) {
        let last = "waits for attachments";
        for (const chunk of input) last = decode(chunk) ?? last;
        decoder.destroy();
        if (decoder.decode('2["probe"]')?.nsp !== "/") throw new Error("the decoder does not go on");
        return last;
      },
    };
  },
};
