import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { importableClients } from "../support/client-bundle.js";
import { clientOnlySuite } from "../support/client-suite.js";
import { refusingUrl } from "../support/unreachable.js";

const program = fileURLToPath(new URL("../fixtures/exiting-client.mjs", import.meta.url));
const moduleOf = importableClients();

const ENDED = 0;
const STILL_THERE = 7;

const cases = [
  { title: "polling, upgraded", event: "upgrade", options: {} },
  { title: "polling", event: "connect", options: { transports: ["polling"] } },
  { title: "websocket", event: "connect", options: { transports: ["websocket"] } },
  { title: "waiting to come back", event: "error", options: { reconnectionDelay: 60_000 }, isRefused: true },
  { title: "a refused websocket", event: "error", options: { transports: ["websocket"] }, isRefused: true },
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
    const [server, refusing] = [await startServer(), await refusingUrl()];
    const codes = cases.map(async ({ title, options, event, isRefused }) => {
      const code = await exitCode(isRefused ? refusing : server.url, { ...options, ...more }, event);
      return [title, code] as const;
    });
    return Object.fromEntries(await Promise.all(codes));
  }

  const allEndWith = (code: number): object => Object.fromEntries(cases.map(({ title }) => [title, code]));

  it("57: is not put off by a client with autoUnref, whatever it does", async () => {
    expect(await exitCodes({ autoUnref: true })).toEqual(allEndWith(ENDED));
  });

  it("57: waits for a client otherwise", async () => {
    expect(await exitCodes({ autoUnref: false })).toEqual(allEndWith(STILL_THERE));
    expect(await exitCodes({})).toEqual(allEndWith(STILL_THERE));
  });
});
