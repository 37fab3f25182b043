import { readFileSync } from "node:fs";
import { fuzz, type FuzzTarget, loadInput, replay, type StoredInput } from "@plugboard/testkit/fuzz";
import { describe, expect, it } from "vitest";
import { target as pollingBody } from "../../packages/engine/fuzz/polling-body.fuzz.js";
import { target as queryString } from "../../packages/engine/fuzz/query-string.fuzz.js";
import { target as websocketFrame } from "../../packages/engine/fuzz/websocket-frame.fuzz.js";
import { target as msgpackPacket } from "../../packages/msgpack/fuzz/msgpack-packet.fuzz.js";
import { target as packetBinary } from "../../packages/protocol/fuzz/packet-binary.fuzz.js";
import { target as packetText } from "../../packages/protocol/fuzz/packet-text.fuzz.js";
import { target as webtransportFrame } from "../../packages/protocol/fuzz/webtransport-frame.fuzz.js";
import { target as serverPackets } from "../../packages/server/fuzz/server-packets.fuzz.js";

const SECONDS = 1;
const SEED = 1;

const targets: ReadonlyArray<readonly [owner: string, target: FuzzTarget]> = [
  ["engine", pollingBody],
  ["engine", queryString],
  ["engine", websocketFrame],
  ["msgpack", msgpackPacket],
  ["protocol", packetBinary],
  ["protocol", packetText],
  ["protocol", webtransportFrame],
  ["server", serverPackets],
];

function corpusOf(owner: string, name: string): StoredInput[] {
  const file = new URL(`../../packages/${owner}/fuzz/corpus/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as StoredInput[];
}

describe.each(targets.map(([owner, target]) => ({ owner, target, name: target.name })))(
  "the fuzz target $name",
  ({ owner, target, name }) => {
    it("has the same outcome as ever for each input of its corpus", async () => {
      const stored = corpusOf(owner, name);
      expect(stored).not.toEqual([]);
      for (const input of stored) expect(await replay(target, loadInput(input))).toBe(input.outcome);
    });

    it("holds for a second of inputs, in linear time and bounded memory", { timeout: 300_000 }, async () => {
      const report = await fuzz(target, { seed: SEED, inputs: Infinity, seconds: SECONDS });
      expect(report.inputs).toBeGreaterThan(0);
    });
  },
);
