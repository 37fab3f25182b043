import { expect, it } from "vitest";
import { interopSuite } from "../support/interop-suite.js";
import { endpoint, openRawPolling, openRawWebSocket } from "../support/raw-session.js";

const handshakePattern =
  /^0\{"sid":"[\w-]{20}","upgrades":\["websocket"\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$/;

interopSuite("the handshake on the wire", ({ startServer }) => {
  it("answers a polling handshake with the open packet and these headers", async () => {
    const server = await startServer();

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);
    const body = await response.text();

    expect(response.status).toBe(200);
    expect(body).toMatch(handshakePattern);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=UTF-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-length")).toBe(String(body.length));
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("x-xss-protection")).toBeNull();
  });

  it("opens a websocket with the open packet, without upgrades", async () => {
    const server = await startServer();

    const { handshake } = await openRawWebSocket(server);

    expect(handshake).toMatch(
      /^0\{"sid":"[\w-]{20}","upgrades":\[\],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}$/,
    );
  });

  it("announces the options in force", async () => {
    const server = await startServer({ pingInterval: 1000, pingTimeout: 2000, maxHttpBufferSize: 3000 });

    const body = await (await fetch(`${endpoint(server)}?EIO=4&transport=polling`)).text();

    expect(JSON.parse(body.slice(1))).toMatchObject({ pingInterval: 1000, pingTimeout: 2000, maxPayload: 3000 });
  });

  it.each([{ allowUpgrades: false }, { transports: ["polling" as const] }])(
    "announces no upgrade with %o",
    async (options) => {
      const server = await startServer(options);

      const body = await (await fetch(`${endpoint(server)}?EIO=4&transport=polling`)).text();

      expect(JSON.parse(body.slice(1))).toMatchObject({ upgrades: [] });
    },
  );

  it("takes an empty sid for none and a repeated parameter for its last value", async () => {
    const server = await startServer();

    const empty = await fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=`);
    const repeated = await fetch(`${endpoint(server)}?EIO=3&transport=nothing&EIO=4&transport=polling`);

    expect(await empty.text()).toMatch(handshakePattern);
    expect(await repeated.text()).toMatch(handshakePattern);
  });

  it("serves longer paths and leaves the path without its slash to others", async () => {
    const server = await startServer();

    const deep = await fetch(`${server.url}/socket.io/anything/deep?EIO=4&transport=polling`);
    expect(await deep.text()).toMatch(handshakePattern);

    const bare = fetch(`${server.url}/socket.io?EIO=4&transport=polling`, { signal: AbortSignal.timeout(200) });
    await expect(bare).rejects.toThrow();
  });

  it.each(["Mozilla/4.0 (compatible;MSIE 8.0)", "Mozilla/5.0 (Windows NT; Trident/7.0; rv:11.0)"])(
    "switches off the XSS filter of %s",
    async (agent) => {
      const server = await startServer();

      const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, { headers: { "user-agent": agent } });

      expect(response.headers.get("x-xss-protection")).toBe("0");
      const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
      const init = { method: "POST", body: "40", headers: { "user-agent": agent } };
      const posted = await fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=${sid}`, init);
      expect(posted.headers.get("x-xss-protection")).toBe("0");
    },
  );

  it("has the session in its list when the client reads of it", async () => {
    const server = await startServer();

    const { peer, session } = await openRawPolling(server);

    expect(server.io.engine.clientsCount).toBe(1);
    expect(Reflect.get(server.io.engine, "clients")).toEqual({ [peer.sid]: session });
    expect(session.protocol).toBe(4);
    expect(session.readyState).toBe("open");
  });

  it.each([
    { cookie: true, expected: "io=SID; Path=/; HttpOnly; SameSite=Lax" },
    {
      cookie: { name: "sid", path: "/x", maxAge: 60.9, domain: "example.test", secure: true, sameSite: "strict" },
      expected: "sid=SID; Max-Age=60; Domain=example.test; Path=/x; HttpOnly; Secure; SameSite=Strict",
    },
    { cookie: { name: "plain", httpOnly: false, sameSite: "none" }, expected: "plain=SID; Path=/; SameSite=None" },
  ] as const)("sets the cookie $expected once, on a polling handshake", async ({ cookie, expected }) => {
    const server = await startServer({ cookie: cookie as { name: string } });

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
    const post = await fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" });

    expect(response.headers.get("set-cookie")).toBe(expected.replace("SID", sid));
    expect(post.headers.get("set-cookie")).toBeNull();
  });

  it("lets a headers listener set a cookie beside that of the option", async () => {
    const server = await startServer({ cookie: true });
    server.io.engine.on("initial_headers", (headers: Record<string, unknown>) => {
      headers["set-cookie"] = "mine=1";
    });

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`);

    expect(response.headers.getSetCookie().toSorted()).toEqual([expect.stringMatching(/^io=/), "mine=1"]);
  });
});

interopSuite("CORS on the wire", ({ startServer }) => {
  const origin = "http://example.test";

  it("adds its headers to the handshake, to posts and to errors", async () => {
    const server = await startServer({ cors: { origin, credentials: true } });

    const handshake = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, { headers: { origin } });
    const { sid } = JSON.parse((await handshake.text()).slice(1)) as { sid: string };
    const post = await fetch(`${endpoint(server)}?EIO=4&transport=polling&sid=${sid}`, {
      method: "POST",
      body: "40",
      headers: { origin },
    });
    const failure = await fetch(`${endpoint(server)}?EIO=4&transport=nothing`, { headers: { origin } });

    expect([handshake.status, post.status, failure.status]).toEqual([200, 200, 400]);
    for (const { headers } of [handshake, post, failure]) {
      expect(headers.get("access-control-allow-origin")).toBe(origin);
      expect(headers.get("access-control-allow-credentials")).toBe("true");
      expect(headers.get("vary")).toBe("Origin");
      expect(headers.get("access-control-allow-methods")).toBeNull();
    }
  });

  it("answers a preflight request", async () => {
    const server = await startServer({ cors: { origin: [origin, /other/], credentials: true, maxAge: 10 } });

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-custom" },
    });

    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(response.headers.get("access-control-allow-origin")).toBe(origin);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,HEAD,PUT,PATCH,POST,DELETE");
    expect(response.headers.get("access-control-allow-headers")).toBe("x-custom");
    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
    expect(response.headers.get("access-control-max-age")).toBe("10");
  });

  it.each([
    { cors: {}, allowed: "*" },
    { cors: { origin: "*" }, allowed: "*" },
    { cors: { origin: true }, allowed: origin },
    { cors: { origin: /example/ }, allowed: origin },
    { cors: { origin: [/nothing/, "http://other.test"] }, allowed: null },
    { cors: { origin: false }, allowed: null },
    { cors: { origin: "http://fixed.test" }, allowed: "http://fixed.test" },
  ])("allows $allowed with the option $cors", async ({ cors, allowed }) => {
    const server = await startServer({ cors });

    const response = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, { headers: { origin } });

    expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
  });

  it("asks a function about the origin", async () => {
    const server = await startServer({
      cors: { origin: (asked, answer) => setImmediate(() => answer(null, asked === origin)) },
    });

    const good = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, { headers: { origin } });
    const bad = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, { headers: { origin: "http://bad.test" } });

    expect(good.headers.get("access-control-allow-origin")).toBe(origin);
    expect(bad.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("is off unless asked for", async () => {
    const server = await startServer();

    const preflight = await fetch(`${endpoint(server)}?EIO=4&transport=polling`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });

    expect(preflight.status).toBe(400);
    expect(await preflight.json()).toEqual({ code: 2, message: "Bad handshake method" });
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  });
});
