import type { Random } from "@plugboard/testkit/fuzz";

const PACKETS = [
  "0",
  "1",
  "2",
  "2probe",
  "3",
  "3probe",
  "4",
  "4hello",
  "4é😀",
  '42["a",1]',
  "5",
  "6",
  "bAAEC",
  "b",
  "b====",
  "b-_",
  "9",
  "x",
];

/** An Engine.IO packet as text, most of them legal from a client. */
export function enginePacket(random: Random): string {
  if (random.oneIn(3)) return "4" + "x".repeat(random.small(64));
  return random.oneIn(2) ? random.pick(["4hello", "3", "bAAEC", "6"]) : random.pick(PACKETS);
}

/** A polling payload (spec/server.md 1.7). */
export function enginePayload(random: Random): string {
  const packets: string[] = [];
  for (let left = 1 + random.small(6); left > 0; left--) packets.push(enginePacket(random));
  return packets.join("\x1e");
}
