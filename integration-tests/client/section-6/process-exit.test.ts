import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { importableClients } from "../support/client-bundle.js";
import { clientOnlySuite } from "../support/client-suite.js";
import { refusingUrl, silentServer } from "../support/unreachable.js";

const program = fileURLToPath(new URL("../fixtures/exiting-client.mjs", import.meta.url));
const moduleOf = importableClients();

const ENDED = 0;
const STILL_THERE = 7;

interface Case {
  readonly title: string;
  /** When the process may end. */
  readonly event: string;
  readonly options: object;
  /** Instead of a server that answers. The silent one breaks off the first connection. */
  readonly at?: "refusing" | "silent";
}

const cases: readonly Case[] = [
  { title: "polling, upgraded", event: "upgrade", options: {} },
  { title: "polling", event: "connect", options: { transports: ["polling"] } },
  { title: "websocket", event: "connect", options: { transports: ["websocket"] } },
  { title: "waiting to come back", event: "error", options: { reconnectionDelay: 60_000 }, at: "refusing" },
  { title: "a refused websocket", event: "error", options: { transports: ["websocket"] }, at: "refusing" },
  {
    title: "a websocket that is not answered yet",
    event: "reconnect_attempt",
    options: { transports: ["websocket"], reconnectionDelay: 1 },
    at: "silent",
  },
];

clientOnlySuite("the end of a process", ({ client, startServer }) => {
  function exitCode(url: string, options: object, event: string): Promise<number | null> {
    const child = spawn(process.execPath, [program, moduleOf(client), url, JSON.stringify(options), event], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    onTestFinished(() => {
      child.kill();
    });
    return new Promise((resolve) => child.once("exit", resolve));
  }

  /** What becomes of a process in each case, all at a time. */
  async function exitCodes(more: object): Promise<Record<string, number | null>> {
    const { url } = await startServer();
    const urls = { refusing: await refusingUrl(), silent: (await silentServer({ refusals: 1 })).url };
    const codes = cases.map(async ({ title, options, event, at }) => {
      const code = await exitCode(at ? urls[at] : url, { ...options, ...more }, event);
      return [title, code] as const;
    });
    return Object.fromEntries(await Promise.all(codes));
  }

  const allEndWith = (code: number): object => Object.fromEntries(cases.map(({ title }) => [title, code]));

  it("57: is not put off by a client with autoUnref, whatever it does", { timeout: 60_000 }, async () => {
    // The published client lets go of a websocket only once it is open.
    const opening = client.ours ? {} : { "a websocket that is not answered yet": STILL_THERE };
    expect(await exitCodes({ autoUnref: true })).toEqual({ ...allEndWith(ENDED), ...opening });
  });

  it("57: waits for a client otherwise", { timeout: 60_000 }, async () => {
    expect(await exitCodes({ autoUnref: false })).toEqual(allEndWith(STILL_THERE));
    expect(await exitCodes({})).toEqual(allEndWith(STILL_THERE));
  });
});
