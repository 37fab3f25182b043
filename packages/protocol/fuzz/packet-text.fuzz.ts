/*
 * Invariant: any text gives a packet that keeps to the rules or a ProtocolError, in linear time and bounded memory; what
 * was decoded can be encoded and decoded again without loss; and the decoder goes on as if nothing had been.
 */
import { Decoder, type Packet } from "@plugboard/protocol";
import { type FuzzTarget, mutateText, packetText, type Random } from "@plugboard/testkit/fuzz";
import { checkPacket, declaredCode, describePacket, encodeAgain } from "./decoded-packet.js";

const GRAMMAR = {
  namespaces: ["/", "/", "/admin", "/a b", "/__proto__", "/é?x=1"],
  events: ["a", "message", "error", "__proto__", "disconnecting", "é😀"],
};

function generate(random: Random): string[] {
  const kind = random.int(16);
  if (kind === 0) return [random.text(random.small(200))];
  const text = packetText(random, GRAMMAR);
  return [kind < 4 ? text : mutateText(random, text, packetText(random, GRAMMAR))];
}

export const target: FuzzTarget = {
  name: "packet-text",
  generate,
  growing: {
    "nested arrays": (size) => ["2" + "[".repeat(size)],
    "closed nested arrays": (size) => [`2["a",${"[".repeat(size / 2)}${"]".repeat(size / 2)}]`],
    "nested objects": (size) => [`2["a",${'{"a":'.repeat(size / 6)}1${"}".repeat(size / 6)}]`],
    "a long id": (size) => ["2" + "1".repeat(size) + '["a"]'],
    "a long attachment count": (size) => ["5" + "1".repeat(size) + '-["a"]'],
    "a long namespace": (size) => ["2/" + "a".repeat(size)],
    "a long name": (size) => [`2["${"a".repeat(size)}"]`],
    "many arguments": (size) => [`2["a"${",0".repeat(size / 2)}]`],
    "many keys": (size) => [`2["a",{${Array.from({ length: size / 10 }, (_, i) => `"k${i}":0`).join(",")}}]`],
    "one key over and over": (size) => [`2["a",{${'"__proto__":0,'.repeat(size / 14)}"a":1}]`],
    digits: (size) => [`2["a",${"9".repeat(size)}]`],
    escapes: (size) => [`2["a","${"\\u0000".repeat(size / 6)}"]`],
    "white space": (size) => [`2["a",${" ".repeat(size)}]`],
  },
  open() {
    const decoder = new Decoder();
    const second = new Decoder();

    function decode(text: string): string {
      let packet: Packet | undefined;
      try {
        packet = decoder.decode(text);
      } catch (error) {
        return declaredCode(error);
      }
      if (packet === undefined) return "waits for attachments";
      checkPacket(packet);
      const [again] = encodeAgain(packet) ?? [];
      if (again !== undefined && encodeAgain(second.decode(again) as Packet)?.[0] !== again) {
        throw new Error(`changed on its way through encoder and decoder: ${again}`);
      }
      return describePacket(packet);
    }

    return {
      run([text]) {
        const outcome = decode(text as string);
        decoder.destroy();
        if (decoder.decode('2["probe"]')?.nsp !== "/") throw new Error("the decoder does not go on");
        return outcome;
      },
    };
  },
};
