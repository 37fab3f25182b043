import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { areOf, isRevocation, isRevokedBy, keysAmong, keysOf, RecentRevocations } from "./revocations.js";

const NOW = 1_800_000_000_000;

describe("keys", () => {
  it("are the same on all nodes, one for each id, and do not show it", () => {
    const keys = keysOf({ user: "5", tokenId: "t", session: "secret" });
    expect(keys).toEqual(keysOf({ user: "5", tokenId: "t", session: "secret" }));
    expect(keys).toEqual([
      expect.stringMatching(/^plugboard:auth:user:[\w-]{22}$/),
      expect.stringMatching(/^plugboard:auth:token:[\w-]{22}$/),
      expect.stringMatching(/^plugboard:auth:session:[\w-]{22}$/),
    ]);
    expect(keys.join()).not.toContain("secret");
    expect(keysOf({})).toEqual([]);
    expect(keysOf({ tokenId: "5" })).not.toEqual(keysOf({ session: "5" }));
  });

  it("tell among the rooms of a socket whose they are", () => {
    const rooms = ["id", "news", ...keysOf({ user: "5", tokenId: "t" })];
    expect(keysAmong(rooms)).toEqual(keysOf({ user: "5", tokenId: "t" }));
    expect(areOf(rooms, { user: "5" })).toBe(true);
    expect(areOf(rooms, { user: "6" })).toBe(false);
    expect(areOf(rooms, undefined)).toBe(false);
    expect(areOf(["id"], undefined)).toBe(true);
    expect(areOf(["id"], { user: "5" })).toBe(false);
    expect(areOf([...rooms, ...keysOf({ user: "6" })], { user: "5" })).toBe(false);
  });
});

describe("a revocation", () => {
  it("of a user means tokens issued up to then, and those that do not tell", () => {
    expect(isRevokedBy([NOW], { user: "5", issuedAt: NOW })).toBe(true);
    expect(isRevokedBy([NOW], { user: "5", issuedAt: NOW + 1 })).toBe(false);
    expect(isRevokedBy([NOW], { user: "5" })).toBe(true);
  });

  it("of a token or session means it whenever it was issued", () => {
    expect(isRevokedBy([undefined, NOW], { user: "5", issuedAt: NOW + 1 })).toBe(true);
    expect(isRevokedBy([null, null, NOW], { user: "5", issuedAt: NOW + 1 })).toBe(true);
    expect(isRevokedBy([null, undefined, null], { user: "5" })).toBe(false);
    expect(isRevokedBy([], { user: "5" })).toBe(false);
  });

  it.each([
    undefined,
    null,
    "x",
    {},
    { keys: "a", at: 1, until: 2 },
    { keys: [1], at: 1, until: 2 },
    { keys: ["a", "b", "c", "d"], at: 1, until: 2 },
    { keys: ["x".repeat(64)], at: 1, until: 2 },
    { keys: ["a"], at: "1", until: 2 },
    { keys: ["a"], at: 1, until: Infinity },
  ])("is not what another node may have sent: %j", (value) => {
    expect(isRevocation(value)).toBe(false);
  });

  it("is what another node sends", () => {
    expect(isRevocation({ keys: keysOf({ user: "5" }), at: 1, until: 2 })).toBe(true);
  });
});

describe("what a node remembers", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("is when each key was revoked, until that time is over", () => {
    const recent = new RecentRevocations();
    recent.add({ keys: ["a", "b"], at: NOW, until: NOW + 1000 });
    recent.add({ keys: ["b"], at: NOW + 5, until: NOW + 500 });
    expect(recent.find(["a", "b", "c"])).toEqual([NOW, NOW + 5, undefined]);
    vi.setSystemTime(NOW + 999);
    expect(recent.find(["a", "b"])).toEqual([NOW, NOW + 5]);
    vi.setSystemTime(NOW + 1000);
    expect(recent.find(["a", "b"])).toEqual([undefined, undefined]);
    recent.add({ keys: ["d"], at: NOW, until: NOW + 5000 });
    expect(recent.size).toBe(1);
  });

  it("is bounded: beyond 100,000 the oldest are forgotten, with a warning", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const recent = new RecentRevocations();
    for (let i = 0; i < 100_000; i++) recent.add({ keys: [`k${i}`], at: NOW, until: NOW + 1000 });
    expect(warn).not.toHaveBeenCalled();
    recent.add({ keys: ["last"], at: NOW, until: NOW + 1000 });
    recent.add({ keys: ["very last"], at: NOW, until: NOW + 1000 });
    expect(recent.size).toBe(100_000);
    expect(recent.find(["k0", "k1", "k2", "very last"])).toEqual([undefined, undefined, NOW, NOW]);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("100000"), {
      code: "SIO_REVOCATIONS_FORGOTTEN",
    });
  });
});
