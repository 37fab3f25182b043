import { expect, it, onTestFinished, vi } from "vitest";
import { clientOnlySuite } from "../support/client-suite.js";
import type { TransportUnderTest } from "../support/published-packages.js";

clientOnlySuite("URLs", ({ client, openEngine }) => {
  /** Two namespaces share a manager when, and only when, their URLs stand for the same server. */
  function shareManager(one: string | undefined, other: string, options: object = {}): boolean {
    const sockets = [
      client.io(one as string, { autoConnect: false }),
      client.io(other, { autoConnect: false, ...options }),
    ];
    return sockets[0]?.io === sockets[1]?.io;
  }

  it.each([
    ["http://a.test:80/a", "http://a.test/b"],
    ["https://b.test:443/a", "https://b.test/b"],
    ["http://[::1]/a", "http://[::1]:80/b"],
    ["http://c.test/a?x=1", "http://c.test/b#y"],
  ])("58: takes %s and %s for one server", (one, other) => {
    expect(shareManager(one, other)).toBe(true);
  });

  it.each([
    ["http://d.test/a", "https://d.test/b"],
    ["http://e.test/a", "http://e.test:81/b"],
    ["http://f.test/a", "ws://f.test/b"],
    ["http://[::2]/a", "http://[::3]/b"],
    ["http://localhost:1/a", "http://127.0.0.1:1/b"],
  ])("58: takes %s and %s for two servers", (one, other) => {
    expect(shareManager(one, other)).toBe(false);
  });

  it("58: takes two paths for two servers", () => {
    expect(shareManager("http://g.test/a", "http://g.test/b", { path: "/other" })).toBe(false);
  });

  it("58: takes what it lacks from the page, and minds no colon at the end of its host", () => {
    vi.stubGlobal("location", { protocol: "http:", host: "h.test:", hostname: "h.test", port: "" });
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });

    expect(shareManager("/a", "http://h.test/b")).toBe(true);
    expect(shareManager(undefined, "http://h.test/c")).toBe(true);
    expect(shareManager("//i.test/a", "http://i.test:80/b")).toBe(true);
    expect(shareManager("k.test:8080/a", "http://k.test:8080/b")).toBe(true);
  });

  /** Where an engine sends its first request. */
  function destination(url: string | undefined, options: Record<string, unknown> = {}): string {
    const engine = url === undefined ? new client.Engine(options) : new client.Engine(url, options);
    const uri = (engine.transport as unknown as TransportUnderTest).uri();
    // Nobody listens: an error that is none of this test.
    engine.on("error", () => {});
    engine.close();
    return uri.slice(0, uri.indexOf("?"));
  }

  /** From options alone. */
  const destinationBy = (options: Record<string, unknown>): string =>
    destination(undefined, { transports: ["polling"], ...options });
  const destinationOf = (url: string): string => destination(url, { transports: ["polling"] });

  it("81: leaves the port out where it is that of the scheme, a number or a text", () => {
    for (const url of ["http://localhost", "http://localhost:80", "http://localhost/any"]) {
      expect(destinationOf(url)).toBe("http://localhost/engine.io/");
    }
    for (const options of [{}, { port: 80 }, { port: "80" }]) {
      expect(destinationBy({ host: "localhost", ...options })).toBe("http://localhost/engine.io/");
    }
    for (const options of [{}, { port: 443 }, { port: "443" }]) {
      const secure = { hostname: "localhost", secure: true };
      expect(destinationBy({ ...secure, ...options })).toBe("https://localhost/engine.io/");
    }
    expect(destinationOf("https://localhost:443/any")).toBe("https://localhost/engine.io/");
  });

  it("81: names any other port", () => {
    expect(destinationOf("http://localhost:443")).toBe("http://localhost:443/engine.io/");
    expect(destinationBy({ host: "localhost", port: 3000 })).toBe("http://localhost:3000/engine.io/");
    expect(destinationBy({ host: "localhost", port: "80", secure: true })).toBe("https://localhost:80/engine.io/");
  });

  it("81: takes IPv6 addresses with brackets and without", () => {
    const destinations = [
      destinationOf("http://[::1]:3000"),
      destinationBy({ hostname: "::1", port: 3000 }),
      destinationBy({ host: "::1", port: 3000 }),
      destinationBy({ host: "[::1]", port: 3000 }),
    ];

    expect(new Set(destinations)).toEqual(new Set(["http://[::1]:3000/engine.io/"]));
  });

  it("81: ends the path with one slash, or none", () => {
    const bare = { hostname: "localhost", addTrailingSlash: false };

    expect(destinationBy({ hostname: "localhost", path: "/my" })).toBe("http://localhost/my/");
    expect(destinationBy({ hostname: "localhost", path: "/my/" })).toBe("http://localhost/my/");
    expect(destinationBy(bare)).toBe("http://localhost/engine.io");
    expect(destinationBy({ ...bare, path: "/my/" })).toBe("http://localhost/my");
  });

  it("81: shows the path it uses in its options", () => {
    const paths = [{}, { addTrailingSlash: false }, { path: "/my" }].map((options) => {
      const engine = new client.Engine("http://localhost:1", { transports: ["polling"], ...options });
      engine.on("error", () => {});
      engine.close();
      return Reflect.get(engine, "opts").path;
    });

    expect(paths).toEqual(["/engine.io/", "/engine.io", "/my/"]);
  });

  it.each([
    ["http://2001:db8:85a3:42:1000:8a2e:370:7334:81", "http://[2001:db8:85a3:42:1000:8a2e:370:7334]:81/engine.io/"],
    ["http://2001:db8:85a3:42:1000:8a2e:370:7334", "http://[2001:db8:85a3:42:1000:8a2e:370:7334]/engine.io/"],
    ["http://2001::7334:a:81", "http://[2001::7334:a:81]/engine.io/"],
    ["http://[2001::7334:a]:81", "http://[2001::7334:a]:81/engine.io/"],
    ["http://user:password@localhost:3000", "http://localhost:3000/engine.io/"],
    ["http://localhost:3000/?mail=me@there.test:90", "http://localhost:3000/engine.io/"],
  ])("82: understands %s", (url, uri) => {
    expect(destinationOf(url)).toBe(uri);
  });

  it("82: refuses a URL of more than 8,000 characters", () => {
    const url = `http://localhost/${"a".repeat(8000)}`;

    expect(() => openEngine(url)).toThrow("URI too long");
  });
});
