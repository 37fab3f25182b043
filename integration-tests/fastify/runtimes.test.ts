import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { installRuntimes, isServedPlatform, nodeLines, nodeOf } from "../matrix/runtimes.js";
import { loadPeer } from "./peers.js";

const program = fileURLToPath(new URL("./fixtures/conversation.mjs", import.meta.url));

beforeAll(async () => {
  await Promise.all([installRuntimes(), loadPeer("@fastify/cookie")]);
}, 300_000);

/** The program ends by itself, which it would not if anything held it open. */
async function run(node: string): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(node, [program], { timeout: 25_000 });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const said = (sum: number): object => ({ refused: "401", sum, code: "SIO_INVALID_PAYLOAD" });
const conversation = { polling: said(5), websocket: said(10), close: "transport close" };

it("on the Node at hand an application with sessions and schemas serves both transports, and closes", async () => {
  expect(await run(process.execPath)).toEqual(conversation);
});

// Where no package brings Node, the version at hand is all there is: other machines of CI do the rest.
describe.runIf(isServedPlatform)("on Node", () => {
  it.each(nodeLines)("$line it does the same", async ({ line }) => {
    expect(await run(nodeOf(line))).toEqual(conversation);
  });
});
