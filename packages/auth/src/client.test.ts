import { readFile } from "node:fs/promises";
import { EventEmitter } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { renewCredentials } from "./client.js";

/** What the server gets for an answer when it asks a client with this `auth`. */
async function answersOf(auth: object): Promise<unknown[]> {
  const socket = Object.assign(new EventEmitter(), { auth });
  renewCredentials(socket as never);
  const answer = vi.fn();
  socket.emit("auth:expiring", { expiresAt: 1 }, answer);
  await new Promise((resolve) => setImmediate(resolve));
  return answer.mock.calls.map(([value]) => value as unknown);
}

describe("renewCredentials", () => {
  it("answers with the object that auth is by then", async () => {
    expect(await answersOf({ token: "t" })).toEqual([{ token: "t" }]);
  });

  it("answers with what a function gives by its callback, or as a promise", async () => {
    expect(await answersOf((give: (auth: object) => void) => give({ token: "t" }))).toEqual([{ token: "t" }]);
    expect(await answersOf((give: (auth: object) => void) => void setImmediate(give, { token: "t" }))).toEqual([
      { token: "t" },
    ]);
    expect(await answersOf(() => Promise.resolve({ token: "t" }))).toEqual([{ token: "t" }]);
  });

  it("does not answer when a function throws, rejects or gives nothing, and nothing is thrown at the client", async () => {
    const fail = (): never => {
      throw new Error("no network");
    };
    expect(await answersOf(fail)).toEqual([]);
    expect(await answersOf(() => Promise.reject(new Error("no network")))).toEqual([]);
    expect(await answersOf(() => Promise.resolve(undefined))).toEqual([]);
  });

  it("calls a function on the socket", async () => {
    const auth = vi.fn(function (this: { auth: unknown }, give: (auth: object) => void) {
      give({ isSocket: this.auth === auth });
    });
    expect(await answersOf(auth)).toEqual([{ isSocket: true }]);
  });

  it("is in a file that imports nothing: it is for browsers", async () => {
    expect(await readFile(new URL("./client.ts", import.meta.url), "utf8")).not.toMatch(/\bimport\b|\brequire\b/);
  });
});
