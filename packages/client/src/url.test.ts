import { describe, expect, it } from "vitest";
import { type PageLocation, parseAuthority, parseUrl } from "./url.js";

const page = (protocol: string, host: string): PageLocation => ({ protocol, host, hostname: host, port: "" });

describe("the URL of a server", () => {
  it.each([
    [
      "ws://x.com/a/b?c=d&e#f",
      { protocol: "ws", secure: false, host: "x.com", port: "80", path: "/a/b", id: "ws://x.com:80" },
    ],
    ["wss://x.com", { protocol: "wss", secure: true, port: "443", path: "/", id: "wss://x.com:443" }],
    ["HTTP://x.com", { protocol: "http", secure: false, id: "http://x.com:80" }],
    ["http://google.com:80/", { id: "http://google.com:80" }],
    ["https://google.com/", { id: "https://google.com:443" }],
    ["http://[::1]", { host: "::1", port: "80", id: "http://[::1]:80" }],
    ["http://[2001:db8::1]:3000/nsp/", { host: "2001:db8::1", port: "3000", path: "/nsp/" }],
    ["http://user:pass@host:3000/?mail=a@b.c", { host: "host", port: "3000", query: { mail: "a@b.c" } }],
    ["http://host/?x=@h", { host: "host", path: "/", query: { x: "@h" } }],
    ["http://host/a?b=%26%3D=c&flag", { query: { b: "&==c", flag: "" } }],
  ])("%s is taken apart", (uri, parts) => {
    expect(parseUrl(uri, undefined)).toMatchObject(parts);
  });

  it.each([
    [undefined, "https:", "woot.com", { source: "https://woot.com", path: "/", id: "https://woot.com:443" }],
    [null, "http:", "woot.com:8080", { source: "http://woot.com:8080", port: "8080" }],
    ["/admin", "https:", "woot.com", { path: "/admin", id: "https://woot.com:443" }],
    ["//cdn.com/x", "https:", "woot.com", { path: "/x", id: "https://cdn.com:443" }],
    ["localhost:3000", "http:", "woot.com", { host: "localhost", port: "3000", id: "http://localhost:3000" }],
    [undefined, "https:", "woot.com:", { port: "443", id: "https://woot.com:443" }],
    ["wss://other.com/x", "http:", "woot.com", { secure: true, host: "other.com" }],
  ])("%s is completed by a page at %s//%s", (uri, protocol, host, parts) => {
    expect(parseUrl(uri, page(protocol, host))).toMatchObject(parts);
  });

  it.each(["localhost:3000", "", "/x", "//host/x", "http://", "ftp://host"])(
    "%s is refused with a code where there is no page to complete it",
    (uri) => {
      expect(() => parseUrl(uri, undefined)).toThrow(expect.objectContaining({ code: "CLIENT_URL_INVALID" }));
    },
  );

  it("may be 8,000 characters long and no longer", () => {
    const start = "http://host/?";
    expect(parseUrl(start.padEnd(8000, "x"), undefined).host).toBe("host");
    expect(() => parseUrl(start.padEnd(8001, "x"), undefined)).toThrow("URI too long");
  });
});

describe("an address without brackets", () => {
  it.each([
    ["2001:0db8:85a3:0042:1000:8a2e:0370:7334:80", "2001:0db8:85a3:0042:1000:8a2e:0370:7334", "80"],
    ["2001::7334:a:80", "2001::7334:a:80", undefined],
    ["::1", "::1", undefined],
    ["host", "host", undefined],
    ["host:", "host", ""],
    ["host:80", "host", "80"],
    ["[::1]:80", "::1", "80"],
  ])("%s is host %s and port %s", (authority, host, port) => {
    expect(parseAuthority(authority)).toEqual([host, port]);
  });
});
