import type { Random } from "./random.js";

const KEYS: readonly string[] = [
  "a",
  "b",
  "num",
  "_placeholder",
  "__proto__",
  "constructor",
  "toJSON",
  "then",
  "",
  "0",
  "é",
];
const SCALARS: readonly string[] = [
  "0",
  "-0",
  "1",
  "-1.5e3",
  "null",
  "true",
  "false",
  '""',
  '"text"',
  '"\\u0000"',
  '"é😀"',
  '"\\ud800"',
];

/** A JSON text. */
export function jsonText(random: Random, depth = 4): string {
  const kind = depth === 0 ? 0 : random.int(4);
  if (kind === 0) return random.pick(SCALARS);
  if (kind === 1) return placeholderText(random);
  const members: string[] = [];
  for (let left = random.small(4); left > 0; left--) {
    const value = jsonText(random, depth - 1);
    members.push(kind === 2 ? value : `${JSON.stringify(random.pick(KEYS))}:${value}`);
  }
  return kind === 2 ? `[${members.join(",")}]` : `{${members.join(",")}}`;
}

function placeholderText(random: Random): string {
  return `{"_placeholder":true,"num":${random.small(4)}}`;
}

export interface PacketGrammar {
  readonly namespaces: readonly string[];
  readonly events: readonly string[];
}

/** The text of a Socket.IO packet that keeps to the grammar, if not to the rules (spec/server.md 2.2). */
export function packetText(random: Random, { namespaces, events }: PacketGrammar): string {
  const type = random.int(7);
  const count = type >= 5 ? `${random.small(4)}-` : "";
  const name = random.pick(namespaces);
  const namespace = name === "/" ? "" : `${name},`;
  const id = random.oneIn(3) ? String(random.small(1000)) : "";
  return `${type}${count}${namespace}${id}${payloadText(random, type, events)}`;
}

function payloadText(random: Random, type: number, events: readonly string[]): string {
  if (random.oneIn(6)) return "";
  if (type === 0 || type === 4) return `{"token":${jsonText(random, 2)},"x":${jsonText(random, 1)}}`;
  const args: string[] = type === 2 || type === 5 ? [JSON.stringify(random.pick(events))] : [];
  for (let left = random.small(4); left > 0; left--) args.push(jsonText(random, 3));
  return `[${args.join(",")}]`;
}
