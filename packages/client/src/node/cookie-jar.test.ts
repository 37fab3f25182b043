import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Transport } from "../transports/transport.js";
import { jarOf, NodeCookieJar, withCookies } from "./cookie-jar.js";

function headerAfter(...setCookie: string[]): string | undefined {
  const jar = new NodeCookieJar();
  jar.store(setCookie);
  return jar.header();
}

describe("NodeCookieJar", () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) }));
  afterEach(() => void vi.useRealTimers());

  it("sends what it holds, in the order in which it came", () => {
    expect(
      headerAfter(
        "1=1",
        "2=2; Path=/; HttpOnly; SameSite=Lax",
        "3=3; Max-Age=0",
        "4=4; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      ),
    ).toBe("1=1; 2=2");
    expect(headerAfter()).toBeUndefined();
  });

  it("reads a value up to the first semicolon, without quotes around it", () => {
    expect(headerAfter('a="b c"; Path=/', "d=e=f&g", "h=")).toBe("a=b c; d=e=f&g; h=");
    expect(headerAfter("a=b;Path=/")).toBe("a=b");
  });

  it("skips what has no name or no value", () => {
    expect(headerAfter("", "a", "=b", " ; Path=/", "c=d")).toBe("c=d");
  });

  it("lets the later of Expires and Max-Age count", () => {
    const past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    expect(headerAfter(`a=1; ${past}; Max-Age=60`, `b=2; Max-Age=60; ${past}`)).toBe("a=1");
  });

  it("reads attribute names in any case, and takes what it cannot read for expired", () => {
    expect(headerAfter("a=1; max-age=60", "b=2; EXPIRES=Fri, 02 Jan 2026 00:00:00 GMT")).toBe("a=1; b=2");
    expect(headerAfter("a=1; Max-Age=x", "b=2; Expires=soon", "c=3; Max-Age=-1", "d=4; Max-Age=")).toBeUndefined();
  });

  it("forgets a cookie at the moment it expires", () => {
    const jar = new NodeCookieJar();
    jar.store(["a=1; Max-Age=60", "b=2"]);
    vi.advanceTimersByTime(59_999);
    expect(jar.header()).toBe("a=1; b=2");
    vi.advanceTimersByTime(1);
    expect(jar.header()).toBe("b=2");
  });

  it("replaces a cookie, and removes it when the new one has expired", () => {
    const jar = new NodeCookieJar();
    jar.store(["a=1", "b=2"]);
    jar.store(["a=3"]);
    expect(jar.header()).toBe("a=3; b=2");
    jar.store(["a=; Max-Age=0"]);
    expect(jar.header()).toBe("b=2");
  });

  it("keeps as many as a browser would, the latest", () => {
    const all = Array.from({ length: 1000 }, (_, i) => `c${i}=${i}`);
    const kept = headerAfter(...all)?.split("; ") ?? [];
    expect(kept).toEqual(all.slice(-180));
  });
});

describe("withCookies", () => {
  it("joins all cookies under one name, however it was written, and leaves the headers alone", () => {
    const headers = { Cookie: ["a=1", "b=2"], "X-Token": "secret" };
    expect(withCookies(headers, "c=3")).toEqual({ "X-Token": "secret", cookie: "a=1; b=2; c=3" });
    expect(headers).toEqual({ Cookie: ["a=1", "b=2"], "X-Token": "secret" });
    expect(withCookies({}, "c=3")).toEqual({ cookie: "c=3" });
    expect(withCookies({ cookie: "a=1" }, undefined)).toEqual({ cookie: "a=1" });
    expect(withCookies({}, undefined)).toEqual({});
  });
});

describe("jarOf", () => {
  const transportOf = (socket: object | undefined, withCredentials: boolean) =>
    ({ socket, opts: { withCredentials } }) as unknown as Transport;

  it("gives the transports of an engine one jar, and each engine its own", () => {
    const [engine, other] = [{}, {}];
    const jar = jarOf(transportOf(engine, true));
    expect(jar).toBeInstanceOf(NodeCookieJar);
    expect(jarOf(transportOf(engine, true))).toBe(jar);
    expect(jarOf(transportOf(other, true))).not.toBe(jar);
  });

  it("gives none without credentials, nor to a transport on its own", () => {
    expect(jarOf(transportOf({}, false))).toBeUndefined();
    expect(jarOf(transportOf(undefined, true))).toBeUndefined();
  });
});
