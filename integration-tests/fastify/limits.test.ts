import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { once } from "node:events";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";
import { listen, startApp, type Setup } from "./start-app.js";

interface Refusal extends Error {
  readonly description: number | Error;
}

async function withPeer(name: string, peerOptions: object, options: SocketioOptions = {}): Promise<string> {
  const peer = await loadPeer(name);
  const { url } = await startApp(options, { before: (app) => app.register(peer, peerOptions as never) });
  return url;
}

/** Status of the refusal of a handshake, or 0 when it is let in. */
async function statusOf(socket: object): Promise<number> {
  return Promise.race([
    nextEvent(socket, "connect").then(() => 0),
    nextEvent<[Refusal]>(socket, "connect_error").then(([{ description }]) =>
      typeof description === "number" ? description : Number(/\d{3}$/.exec(description.message)?.[0]),
    ),
  ]);
}

describe.each(bothClients)("limits, by $name", (client) => {
  it.each(["polling", "websocket"])("of rateLimit.handshake refuse with 429 over %s", async (transport) => {
    const { url } = await startApp({ rateLimit: { handshake: { points: 2, duration: 60 } } });
    const attempt = (): Promise<number> => statusOf(client.open(url, { transports: [transport] }));
    expect([await attempt(), await attempt(), await attempt()]).toEqual([0, 0, 429]);
  });

  it("of rateLimit.handshake count by request.ip, which follows trustProxy", async () => {
    const { url } = await startApp(
      { rateLimit: { handshake: { points: 1, duration: 60 } } },
      { fastify: { trustProxy: true } },
    );
    const attempt = (ip: string): Promise<number> =>
      statusOf(client.open(url, { extraHeaders: { "x-forwarded-for": ip } }));
    expect([await attempt("10.0.0.1"), await attempt("10.0.0.2"), await attempt("10.0.0.1")]).toEqual([0, 0, 429]);
  });

  it("of rateLimit.handshake count the addresses that one customer has in IPv6 as one", async () => {
    const { url } = await startApp(
      { rateLimit: { handshake: { points: 1, duration: 60 } } },
      { fastify: { trustProxy: true } },
    );
    const attempt = (ip: string): Promise<number> =>
      statusOf(client.open(url, { extraHeaders: { "x-forwarded-for": ip } }));
    expect([await attempt("2001:db8::1"), await attempt("2001:db8::2"), await attempt("2001:db8:1::1")]).toEqual([
      0, 429, 0,
    ]);
  });

  it.each(["address", "user"] as const)("of rateLimit.events by %s count by request.ip who has no user", async (by) => {
    const { url } = await startApp(
      { rateLimit: { events: { points: 1, duration: 60, by } } },
      { fastify: { trustProxy: true }, after: (app) => app.io.event("hi", () => "hi") },
    );
    const connect = (ip: string) => client.connect(url, { extraHeaders: { "x-forwarded-for": ip } });
    const [first, second, again] = [await connect("10.0.0.1"), await connect("10.0.0.2"), await connect("10.0.0.1")];
    expect(await first.emitWithAck("hi")).toBe("hi");
    expect(await second.emitWithAck("hi")).toBe("hi");
    expect(await again.emitWithAck("hi")).toMatchObject({ code: "SIO_RATE_LIMITED" });
  });

  it("of rateLimit.events answer with a code", async () => {
    const { url } = await startApp(
      { rateLimit: { events: { points: 2, duration: 60 } } },
      { after: (app) => app.io.event("hi", () => "hi") },
    );
    const socket = await client.connect(url);
    expect(await socket.emitWithAck("hi")).toBe("hi");
    expect(await socket.emitWithAck("hi")).toBe("hi");
    expect(await socket.emitWithAck("hi")).toMatchObject({ code: "SIO_RATE_LIMITED" });
  });

  it.each(["polling", "websocket"])(
    "of @fastify/rate-limit count handshakes over %s, and no polls",
    async (transport) => {
      const peer = await loadPeer("@fastify/rate-limit");
      const { url } = await startApp(
        {},
        {
          before: (app) => app.register(peer, { max: 2, timeWindow: 60_000 } as never),
          after: (app) => app.io.event("double", (n: number) => 2 * n),
        },
      );
      const socket = await client.connect(url, { transports: [transport] });
      for (let n = 0; n < 10; n++) expect(await socket.emitWithAck("double", n)).toBe(2 * n);
      expect(await statusOf(client.open(url, { transports: [transport] }))).toBe(0);
      expect(await statusOf(client.open(url, { transports: [transport] }))).toBe(429);
    },
  );
});

describe("header fields of hooks", () => {
  const helmetFields = ["x-content-type-options", "strict-transport-security"];

  it("such as those of helmet are on polls and on the 101", async () => {
    const url = await withPeer("@fastify/helmet", {});
    const opened = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body: "40" });
    const poll = await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`);
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    const [upgrade] = (await once(socket, "upgrade")) as [{ headers: Record<string, string> }];
    socket.terminate();
    for (const field of helmetFields) {
      expect(opened.headers.get(field)).toBeTruthy();
      expect(poll.headers.get(field)).toBe(opened.headers.get(field));
      expect(upgrade.headers[field]).toBe(opened.headers.get(field));
    }
  });

  it("such as cookies are set by the 101", async () => {
    const { url } = await startApp(
      {},
      {
        before: (app) =>
          app.addHook("onRequest", async (_request, reply) => void reply.header("set-cookie", ["a=1", "b=2"])),
      },
    );
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`);
    const [upgrade] = (await once(socket, "upgrade")) as [{ headers: Record<string, string[]> }];
    socket.terminate();
    expect(upgrade.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
  });

  it("of CORS come from @fastify/cors, preflights too", async () => {
    const origin = "https://app.example";
    const url = await withPeer("@fastify/cors", { origin, credentials: true });
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    const opened = await fetch(polling, { headers: { origin } });
    expect(opened.headers.get("access-control-allow-origin")).toBe(origin);
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const preflight = await fetch(`${polling}&sid=${sid}`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
    const post = await fetch(`${polling}&sid=${sid}`, { method: "POST", body: "40", headers: { origin } });
    expect(post.headers.get("access-control-allow-origin")).toBe(origin);
    expect(post.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("of CORS come from the option cors, preflights too, where there is no plugin for it", async () => {
    const origin = "https://app.example";
    const { url } = await startApp({ cors: { origin } });
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    expect((await fetch(polling, { headers: { origin } })).headers.get("access-control-allow-origin")).toBe(origin);
    const preflight = await fetch(polling, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
  });

  it("of @fastify/cors and helmet are missing on the published server", async () => {
    const { app } = await attachPublished();
    await app.register(await loadPeer("@fastify/cors"), { origin: "https://app.example" });
    await app.register(await loadPeer("@fastify/helmet"));
    const { url } = await listen(app);
    const opened = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: "https://app.example" },
    });
    expect(opened.headers.get("access-control-allow-origin")).toBeNull();
    expect(opened.headers.get("x-content-type-options")).toBeNull();
  });
});

describe("pages of other origins, where cookies are read", () => {
  const origin = "https://app.example";
  const app = async (cors?: object, readCookies: Setup = registerCookies): Promise<string> => {
    const fastify: FastifyInstance = Fastify();
    if (cors !== undefined) await fastify.register(await loadPeer("@fastify/cors"), cors as never);
    await fastify.register(await loadPeer("@fastify/jwt"), { secret: "a secret of the test" });
    await readCookies(fastify);
    return (await listen(fastify)).url;
  };
  const registerCookies: Setup = async (fastify) => {
    await fastify.register(await loadPeer("@fastify/cookie"));
    await fastify.register(socketio);
  };

  const readers: [string, Setup][] = [
    ["@fastify/cookie", registerCookies],
    [
      "@fastify/cookie behind the plugin",
      async (fastify) => {
        await fastify.register(socketio);
        await fastify.register(await loadPeer("@fastify/cookie"));
      },
    ],
    [
      "ioJwt",
      async (fastify) => {
        await fastify.register(socketio);
        fastify.ioJwt({ cookie: "token", required: false });
      },
    ],
  ];

  it.each(readers.flatMap(([by, read]) => ["polling", "websocket"].map((transport) => [by, transport, read] as const)))(
    "by %s are kept out over %s unless @fastify/cors lets them read with cookies",
    async (_by, transport, read) => {
      const [client] = bothClients;
      const attempt = async (cors?: object): Promise<number> =>
        statusOf(client!.open(await app(cors, read), { transports: [transport], extraHeaders: { origin } }));
      expect(await attempt()).toBe(403);
      expect(await attempt({ origin: "*" })).toBe(403);
      expect(await attempt({ origin })).toBe(403);
      expect(await attempt({ origin, credentials: true })).toBe(0);
    },
  );

  it("are not those that a proxy says have asked for this host, at the first post of a connection either", async () => {
    const { url } = await startApp(
      {},
      { fastify: { trustProxy: true }, before: async (it) => it.register(await loadPeer("@fastify/cookie")) },
    );
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    const headers = { "x-forwarded-host": "app.example", "x-forwarded-proto": "https" };
    const opened = await fetch(polling, { headers });
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const post = (from: string) =>
      fetch(`${polling}&sid=${sid}`, { method: "POST", body: "40", headers: { ...headers, origin: from } });
    expect((await post("https://elsewhere.example")).status).toBe(403);
    expect((await post(origin)).status).toBe(200);
  });

  it("can read the files of the client", async () => {
    const url = await app();
    const file = await fetch(`${url}/socket.io/socket.io.min.js`);
    expect(file.headers.get("content-type")).toContain("javascript");
    expect((await file.text()).length).toBeGreaterThan(1000);
  });
});
