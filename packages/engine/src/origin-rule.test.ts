import { MemoryRequest } from "@plugboard/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CorsSettings } from "./node/cors-middleware.js";
import { resolveEngineOptions, type EngineOptions } from "./options.js";
import { checkOrigin, isOfOrigin, isSameOrigin } from "./origin-rule.js";

const PATH = "/engine.io/?EIO=4&transport=polling";

function requestTo(host: string, headers: Record<string, string> = {}, isEncrypted = false): MemoryRequest {
  return new MemoryRequest(PATH, { headers: { host, ...headers }, isEncrypted });
}

describe("the origin of a page of ours", () => {
  it.each([
    ["http://app.example", "app.example", "plain"],
    ["http://app.example", "app.example:80", "plain"],
    ["http://app.example:3000", "app.example:3000", "plain"],
    ["https://app.example", "app.example", "encrypted"],
    ["https://app.example", "app.example:443", "encrypted"],
    // A proxy in front has taken the encryption off.
    ["https://app.example", "app.example", "plain"],
    ["https://app.example:8443", "app.example:8443", "plain"],
    ["http://APP.example", "app.EXAMPLE", "plain"],
    ["http://[::1]:3000", "[::1]:3000", "plain"],
    ["http://[::1]", "[0:0:0:0:0:0:0:1]:80", "plain"],
    ["http://127.0.0.1:3000", "127.0.0.1:3000", "plain"],
    ["http://xn--bcher-kva.example", "xn--bcher-kva.example", "plain"],
    ["http://app.example.", "app.example.", "plain"],
  ])("is %s for a request to %s on a connection that is %s", (origin, host, connection) => {
    expect(isSameOrigin(requestTo(host, {}, connection === "encrypted"), origin)).toBe(true);
  });

  it.each([
    ["http://app.example:3001", "app.example:3000", "plain"],
    ["http://localhost:3000", "127.0.0.1:3000", "plain"],
    ["http://app.example", "app.example", "encrypted"],
    ["http://app.example:443", "app.example", "encrypted"],
    // The page of port 443, and a request to port 80.
    ["https://app.example", "app.example:80", "plain"],
    ["http://app.example", "app.example:443", "plain"],
    ["http://sub.app.example", "app.example", "plain"],
    ["http://app.example", "sub.app.example", "plain"],
    ["http://app.example.evil.example", "app.example", "plain"],
    ["http://app.example", "app.example.", "plain"],
    ["null", "null", "plain"],
    ["", "app.example", "plain"],
    ["app.example", "app.example", "plain"],
    ["ws://app.example", "app.example", "plain"],
    ["file://app.example", "app.example", "plain"],
    ["chrome-extension://app.example", "app.example", "plain"],
    ["http://app.example/", "app.example", "plain"],
    ["http://app.example/path", "app.example", "plain"],
    ["http://app.example@evil.example", "evil.example", "plain"],
    ["http://app.example, http://evil.example", "app.example", "plain"],
    ["http://app.example", "app.example/path", "plain"],
    ["http://app.example", "evil.example@app.example", "plain"],
    ["http://[::1", "[::1", "plain"],
    ["http://app.example:99999", "app.example:99999", "plain"],
  ])("is not %s for a request to %s on a connection that is %s", (origin, host, connection) => {
    expect(isSameOrigin(requestTo(host, {}, connection === "encrypted"), origin)).toBe(false);
  });

  it("is nobody's when the request does not say to which host it is", () => {
    expect(isSameOrigin(new MemoryRequest(PATH), "http://app.example")).toBe(false);
  });

  it("follows :authority, which HTTP/2 has in the place of Host", () => {
    const request = new MemoryRequest(PATH, { headers: { ":authority": "app.example" }, isEncrypted: true });
    expect(isSameOrigin(request, "https://app.example")).toBe(true);
    expect(isSameOrigin(request, "https://evil.example")).toBe(false);
  });

  it("does not follow what a client says that a proxy has said", () => {
    const headers = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example",
    };
    expect(isSameOrigin(requestTo("app.example", headers), "https://evil.example")).toBe(false);
  });

  const hosts = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
  );
  const ports = fc.option(fc.integer({ min: 1, max: 65535 }), { nil: undefined });
  const authority = (host: string, port: number | undefined): string => (port === undefined ? host : `${host}:${port}`);

  it("is, for every host, port and scheme, the origin that a browser computes from the URL", () => {
    fc.assert(
      fc.property(hosts, ports, fc.constantFrom("http", "https"), fc.boolean(), (host, port, scheme, isEncrypted) => {
        fc.pre(URL.canParse(`${scheme}://${authority(host, port)}`));
        const { origin, host: sent } = new URL(`${scheme}://${authority(host, port)}`);
        const isPossible = !isEncrypted || scheme === "https";
        expect(isSameOrigin(requestTo(sent, {}, isEncrypted), origin)).toBe(isPossible);
      }),
    );
  });

  it("is never that of another host or port", () => {
    fc.assert(
      fc.property(
        hosts,
        ports,
        hosts,
        ports,
        fc.constantFrom("http", "https"),
        (host, port, other, otherPort, scheme) => {
          const urls = [authority(host, port), authority(other, otherPort)].map((text) => `${scheme}://${text}`);
          fc.pre(urls.every((url) => URL.canParse(url)));
          const [own, foreign] = urls.map((url) => new URL(url)) as [URL, URL];
          fc.pre(own.host !== foreign.host);
          expect(isSameOrigin(requestTo(own.host), foreign.origin)).toBe(false);
        },
      ),
    );
  });

  it("is decided without an exception, whatever Origin and Host hold", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom("http://", "https://", "null", "a.example", ":", "[", "@", "/"));
    const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, fc.boolean(), (origin, host, isEncrypted) => {
        expect(typeof isSameOrigin(requestTo(host, {}, isEncrypted), origin)).toBe("boolean");
      }),
    );
  });
});

const FOREIGN = "https://friend.example";

async function isLetIn(options: EngineOptions, headers: Record<string, string>, path = PATH): Promise<boolean> {
  const request = new MemoryRequest(path, { headers: { host: "app.example", ...headers } });
  return (await checkOrigin(request, resolveEngineOptions(options))) === undefined;
}

describe("the origin rule", () => {
  const on = { checkOrigin: true };

  it("is off by default", async () => {
    expect(await isLetIn({}, { origin: FOREIGN })).toBe(true);
    expect(await isLetIn({ checkOrigin: false }, { origin: "null" })).toBe(true);
  });

  it("lets the own origin in, and programs without one", async () => {
    expect(await isLetIn(on, { origin: "http://app.example" })).toBe(true);
    expect(await isLetIn(on, {})).toBe(true);
  });

  it.each([FOREIGN, "null", "", "http://app.example:81"])("keeps out %j", async (origin) => {
    expect(await isLetIn(on, { origin })).toBe(false);
  });

  it("says in the refusal why, and whom", async () => {
    const request = new MemoryRequest(PATH, { headers: { host: "app.example", origin: FOREIGN } });
    expect(await checkOrigin(request, resolveEngineOptions(on))).toEqual({
      error: "FORBIDDEN",
      context: { name: "ORIGIN_NOT_ALLOWED", message: "Origin not allowed", origin: FOREIGN },
      status: 403,
    });
  });

  it.each<[string, CorsSettings]>([
    ["a text", { origin: FOREIGN }],
    ["a regular expression", { origin: /\.example$/ }],
    ["a list", { origin: ["https://a.example", /^https:\/\/friend\./] }],
    ["true", { origin: true }],
    ["a function", { origin: (origin, decide) => setImmediate(decide, null, origin === FOREIGN) }],
    ["a function that gives a list", { origin: (_origin, decide) => decide(null, [FOREIGN]) }],
  ])("lets in the origin that cors names by %s, with credentials", async (_how, cors) => {
    expect(await isLetIn({ ...on, cors: { ...cors, credentials: true } }, { origin: FOREIGN })).toBe(true);
    // Such a page could not read an answer that it asked for with cookies.
    expect(await isLetIn({ ...on, cors }, { origin: FOREIGN })).toBe(false);
  });

  it("follows a function that gives the cors options for a request", async () => {
    const cors: CorsSettings = (request, decide) =>
      decide(null, { credentials: true, origin: request.headers.origin === FOREIGN && FOREIGN });
    expect(await isLetIn({ ...on, cors }, { origin: FOREIGN })).toBe(true);
    expect(await isLetIn({ ...on, cors }, { origin: "https://evil.example" })).toBe(false);
  });

  it.each<[string, CorsSettings]>([
    ["anybody's with *", { origin: "*" }],
    ["anybody's by default", {}],
    ["another one", { origin: "https://other.example" }],
    ["another one, in a list", { origin: ["*", "https://other.example", /^https:\/\/friend\.example\.com$/] }],
    ["none", { origin: false }],
    ["none, by a function", { origin: (_origin, decide) => decide(null, false) }],
    ["none, because a function fails", { origin: (_origin, decide) => decide(new Error("no")) }],
    [
      "none, because a function throws",
      {
        origin: () => {
          throw new Error("no");
        },
      },
    ],
    ["none, because the options cannot be had", ((_request, decide) => decide(new Error("no"))) as CorsSettings],
  ])("keeps an origin out when cors allows %s", async (_what, cors) => {
    const settings: CorsSettings = typeof cors === "function" ? cors : { ...cors, credentials: true };
    expect(await isLetIn({ ...on, cors: settings }, { origin: FOREIGN })).toBe(false);
  });

  it("treats the origin of sandboxed pages as cors does: as a foreign one that has to be named", async () => {
    expect(await isLetIn({ ...on, cors: { origin: [FOREIGN], credentials: true } }, { origin: "null" })).toBe(false);
    expect(await isLetIn({ ...on, cors: { origin: "null", credentials: true } }, { origin: "null" })).toBe(true);
  });

  it("leaves the decision to a function, for the own origin too", async () => {
    const asked: unknown[] = [];
    const checkOrigin = (origin: string): Promise<boolean> => {
      asked.push(origin);
      return Promise.resolve(origin === FOREIGN);
    };
    expect(await isLetIn({ checkOrigin }, { origin: FOREIGN })).toBe(true);
    expect(await isLetIn({ checkOrigin }, { origin: "http://app.example" })).toBe(false);
    expect(await isLetIn({ checkOrigin }, {})).toBe(true);
    expect(asked).toEqual([FOREIGN, "http://app.example"]);
  });

  it("hands the request to a function", async () => {
    const request = new MemoryRequest(PATH, { headers: { origin: FOREIGN } });
    const options = resolveEngineOptions({ checkOrigin: (_origin, raw) => (raw as unknown) === request });
    expect(await checkOrigin(request, options)).toBeUndefined();
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["gives something else than true", () => "yes" as never],
  ])("keeps an origin out when the function %s", async (_what, checkOrigin) => {
    expect(await isLetIn({ checkOrigin }, { origin: FOREIGN })).toBe(false);
  });

  it("keeps out what foreign pages ask for without an Origin: images, scripts, no-cors requests", async () => {
    expect(await isLetIn(on, { "sec-fetch-site": "cross-site" })).toBe(false);
    expect(await isLetIn(on, { "sec-fetch-site": "same-site" })).toBe(false);
    expect(await isLetIn(on, { "sec-fetch-site": "same-origin" })).toBe(true);
    expect(await isLetIn(on, { "sec-fetch-site": "none" })).toBe(true);
  });

  it("lets scripts poll for their own page only, and only when the browser says that they do", async () => {
    const jsonp = `${PATH}&j=0`;
    expect(await isLetIn(on, {}, jsonp)).toBe(false);
    expect(await isLetIn(on, { "sec-fetch-site": "none" }, jsonp)).toBe(false);
    expect(await isLetIn(on, { "sec-fetch-site": "cross-site" }, jsonp)).toBe(false);
    expect(await isLetIn(on, { "sec-fetch-site": "same-origin" }, jsonp)).toBe(true);
    expect(await isLetIn({}, {}, jsonp)).toBe(true);
  });
});

describe("the origin of a session", () => {
  const from = (headers: Record<string, string>): MemoryRequest => requestTo("app.example", headers);

  it.each([
    ["the same origin", FOREIGN, { origin: FOREIGN }, true],
    ["another origin", FOREIGN, { origin: "https://evil.example" }, false],
    ["a sandboxed page", FOREIGN, { origin: "null" }, false],
    ["nowhere in particular", FOREIGN, {}, true],
    ["a script of a foreign page", FOREIGN, { "sec-fetch-site": "cross-site" }, false],
    ["nowhere, as before", undefined, {}, true],
    ["a script of a foreign page, and nowhere before", undefined, { "sec-fetch-site": "cross-site" }, false],
    ["an origin, and nowhere before", undefined, { origin: "http://app.example" }, undefined],
  ])("admits, as far as can be said at once, a request from %s", (_where, first, headers, expected) => {
    expect(isOfOrigin(first, from(headers as Record<string, string>))).toBe(expected);
  });
});
