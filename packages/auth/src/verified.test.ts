import { describe, expect, it } from "vitest";
import { checkCredentials, type Credentials } from "./verified.js";

describe("what verify gives", () => {
  it("is copied and frozen, with all that it has", () => {
    const given = { user: "5", session: undefined, expiresAt: 1_800_000_000_000, role: "admin" };
    const checked = checkCredentials(given);
    expect(checked).toEqual(given);
    expect(checked).not.toBe(given);
    expect(Object.isFrozen(checked)).toBe(true);
  });

  it.each([
    [{}, "user must be a string that is not empty"],
    [{ user: "" }, "user must be a string that is not empty"],
    [{ user: 5 }, "user must be a string that is not empty"],
    [{ user: "5", tokenId: 7 }, "tokenId must be a string or missing"],
    [{ user: "5", session: "" }, "session must be a string or missing"],
    [{ user: "5", expiresAt: "tomorrow" }, "expiresAt must be a number or missing"],
    [{ user: "5", expiresAt: Number.NaN }, "expiresAt must be a number or missing"],
    [{ user: "5", expiresAt: 1_800_000_000 }, "expiresAt is in milliseconds since 1970, not in seconds"],
    [{ user: "5", issuedAt: 1_800_000_000 }, "issuedAt is in milliseconds since 1970, not in seconds"],
  ])("is not accepted as %j", (given, message) => {
    expect(() => checkCredentials(given as Credentials)).toThrow(new TypeError(message));
  });
});
