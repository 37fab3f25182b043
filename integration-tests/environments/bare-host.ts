import { createContext, runInContext } from "node:vm";
import type { Environment } from "./describe-scenarios.js";
import type { ScenarioRun } from "./fixtures/run-scenario.js";
import { bundle } from "./scenario-bundle.js";

/** Copies bytes to an ArrayBuffer as programs in the host know it: that of this program is no `instanceof` there. */
export type ToArrayBuffer = (bytes: Uint8Array) => ArrayBuffer;

/** A copy of bytes that a program in the host hands over: `ws` masks what it does not know as somebody else's in place. */
export function bytesOf(data: ArrayBuffer | Uint8Array): Uint8Array {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data).slice();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

/**
 * Runs a client in a host that has what the language itself brings, timers, and what it is given: no DOM, no Node.
 * @param client - script that leaves the client's exports in the global `client`
 * @param globals - what the host has; it is told how to make binary data of the host's own
 */
export async function startBareHost(
  client: string,
  globals: (toArrayBuffer: ToArrayBuffer) => Record<string, unknown>,
): Promise<Environment> {
  const context = createContext({ setTimeout, clearTimeout, setInterval, clearInterval });
  const HostArrayBuffer = runInContext("ArrayBuffer", context) as ArrayBufferConstructor;
  const toArrayBuffer: ToArrayBuffer = (bytes) => {
    const buffer = new HostArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  };
  Object.assign(context, globals(toArrayBuffer));
  runInContext(await bundle("./fixtures/bare-scenarios.ts", "iife"), context);
  runInContext(client, context);
  const run = runInContext("(run) => runScenario(client, JSON.parse(run))", context) as (run: string) => Promise<void>;
  return { atOnce: 4, run: (scenario: ScenarioRun) => run(JSON.stringify(scenario)) };
}
