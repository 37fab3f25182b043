import { describe, expect, it } from "vitest";
import { contractClient } from "./contract-client.js";
import { defineEvents } from "./define-events.js";
import type { StandardSchema } from "./standard-schema.js";

const anything: StandardSchema = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
const contract = defineEvents({ server: { tell: { payload: anything }, ask: { payload: anything, ack: anything } } });

/** A socket that keeps its listeners, to see what comes out of them; all else is tested with real ones. */
function listenerOf(event: "tell" | "ask", listener: () => unknown): (...args: unknown[]) => unknown {
  const listeners: ((...args: unknown[]) => unknown)[] = [];
  const socket = { emit() {}, async emitWithAck() {}, off() {}, on: (_: never, added: never) => listeners.push(added) };
  contractClient(socket, contract).on(event, listener);
  const [added] = listeners;
  if (added === undefined) throw new Error("nothing was added");
  return added;
}

describe("what a listener throws by mistake", () => {
  const mistake = new TypeError("x is undefined");

  it("goes where it would go without a contract", async () => {
    const thrower = listenerOf("tell", () => {
      throw mistake;
    });
    expect(() => thrower(1)).toThrow(mistake);
    await expect(listenerOf("tell", () => Promise.reject(mistake))(1)).rejects.toBe(mistake);
  });

  it("is answered as an internal error, and goes there as well", async () => {
    const answers: unknown[] = [];
    const ask = listenerOf("ask", () => Promise.reject(mistake));
    await expect(ask(1, (answer: unknown) => answers.push(answer))).rejects.toBe(mistake);
    expect(answers).toEqual([{ status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" }]);
  });
});
