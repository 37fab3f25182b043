import { socketio, type SocketioOptions } from "@plugboard/fastify";
import type { SocketSession } from "@plugboard/session";
import Fastify from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { loadPeer } from "./peers.js";
import { login } from "./session-app.js";
import { listen, type StartedApp } from "./start-app.js";

interface Session {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  delete(): void;
  regenerate(): void;
}
interface Refusal extends Error {
  readonly description?: number;
}

const KEY = Buffer.alloc(32, 7);

/** Seconds that a session lives without a request that changes it. */
const EXPIRY = 3600;

async function startSecureApp({
  peer = {},
  port = 0,
  ...options
}: SocketioOptions & { peer?: object; port?: number } = {}): Promise<StartedApp> {
  const app = Fastify();
  const { name = "session" } = (options.session ?? {}) as { name?: string };
  const sessionOf = (request: object): Session => (request as Record<string, Session>)[name] as Session;
  const one = { key: KEY, expiry: EXPIRY, cookie: { path: "/" } };
  await app.register(
    await loadPeer("@fastify/secure-session"),
    Array.isArray(peer) ? (peer as never) : { ...one, ...peer },
  );
  await app.register(socketio, {
    routeOptions: {
      preHandler: async (request, reply) =>
        sessionOf(request).get("user") === undefined ? reply.code(401).send("login first") : undefined,
    },
    ...options,
  });
  const post = (name: string, change: (session: Session) => void): void => {
    app.post(`/${name}`, async (request) => {
      change(sessionOf(request));
      return "ok";
    });
  };
  post("login", (session) => session.set("user", "ada"));
  post("count", (session) => session.set("count", Number(session.get("count") ?? 0) + 1));
  post("logout", (session) => session.delete());
  post("regenerate", (session) => {
    session.regenerate();
    session.set("user", "bob");
  });
  app.io.event("me", (_payload, { socket }) => (socket as unknown as { session: SocketSession }).session.data);
  return listen(app, "127.0.0.1", port);
}

async function post(url: string, path: string, cookie: string): Promise<string> {
  const response = await fetch(`${url}/${path}`, { method: "POST", headers: { cookie } });
  return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
}

const reconnecting = { reconnection: true, reconnectionDelay: 10 };

afterEach(() => void vi.useRealTimers());

describe.each(bothClients)("sessions of @fastify/secure-session, as $name sees them", (client) => {
  it.each(["polling", "websocket"])("let in over %s who has logged in, and others with a login later", async (how) => {
    const { url } = await startSecureApp();
    const transports = [how];
    const socket = client.open(url, { ...reconnecting, transports });
    const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
    if (how === "polling") expect(error.description).toBe(401);
    else expect((error.description as unknown as Error).message).toContain("401");
    const opts = socket.io.opts as { extraHeaders?: object };
    opts.extraHeaders = { cookie: await login(url) };
    await nextEvent(socket, "connect");
    expect(await socket.emitWithAck("me")).toEqual({ user: "ada" });
  });

  it.each(["logout", "regenerate"])(
    "end their sockets by %s, also when requests have changed them since",
    async (how) => {
      const { url, app } = await startSecureApp();
      let cookie = await login(url);
      const options = { ...reconnecting, transports: ["polling"], extraHeaders: { cookie } };
      const socket = await client.connect(url, options);
      const other = await client.connect(url, { extraHeaders: { cookie: await login(url) } });
      for (let n = 0; n < 2; n++) cookie = await post(url, "count", cookie);
      const inAgain = { ...options, extraHeaders: { cookie } };
      const later = await client.connect(url, inAgain);
      expect(await later.emitWithAck("me")).toEqual({ user: "ada", count: 2 });
      const gone = [nextEvent(socket, "disconnect"), nextEvent(later, "disconnect")];
      const refused = nextEvent<[Refusal]>(later.io, "reconnect_error");
      const next = await post(url, how, cookie);
      // As a browser does when it has the answer.
      for (const { io } of [socket, later]) (io.opts as { extraHeaders: object }).extraHeaders = { cookie: next };
      await Promise.all(gone);
      if (how === "logout") {
        expect((await refused)[0].description).toBe(401);
        expect([...app.io.sockets.sockets.keys()]).toEqual([other.id]);
      } else {
        refused.catch(() => {});
        await nextEvent(socket, "connect");
        expect(await socket.emitWithAck("me")).toEqual({ user: "bob" });
      }
      expect(await other.emitWithAck("me")).toEqual({ user: "ada" });
    },
  );

  it("end their sockets when they expire, and later ones go on with the cookie of a later request", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const { url, app } = await startSecureApp();
    const cookie = await login(url);
    const [stays, returns] = [
      await client.connect(url, { ...reconnecting, transports: ["polling"], extraHeaders: { cookie } }),
      await client.connect(url, { ...reconnecting, extraHeaders: { cookie } }),
    ];
    vi.advanceTimersByTime((EXPIRY - 120) * 1000);
    const fresh = await post(url, "count", cookie);
    (returns.io.opts as { extraHeaders: object }).extraHeaders = { cookie: fresh };
    expect(await stays.emitWithAck("me")).toEqual({ user: "ada" });
    const gone = [nextEvent(stays, "disconnect"), nextEvent(returns, "disconnect")];
    const refused = nextEvent<[Refusal]>(stays.io, "reconnect_error");
    const back = nextEvent(returns, "connect");
    vi.advanceTimersByTime(240_000);
    await Promise.all(gone);
    expect((await refused)[0].description).toBe(401);
    await back;
    expect(await returns.emitWithAck("me")).toEqual({ user: "ada", count: 1 });
    expect(app.io.sockets.sockets.size).toBe(1);
  });

  it("outlive a restart of the server, and so do their clients", async () => {
    const first = await startSecureApp();
    const cookie = await login(first.url);
    const socket = await client.connect(first.url, { ...reconnecting, extraHeaders: { cookie } });
    const disconnected = nextEvent<[string]>(socket, "disconnect");
    await first.app.close();
    expect((await disconnected)[0]).toBe("transport close");
    const back = nextEvent(socket, "connect");
    await startSecureApp({ port: first.port });
    await back;
    expect(await socket.emitWithAck("me")).toEqual({ user: "ada" });
  });

  it.each(["polling", "websocket"])("keep pages of other origins out over %s", async (how) => {
    const { url } = await startSecureApp();
    const cookie = await login(url);
    const from = (origin: string) => ({ extraHeaders: { cookie, origin }, transports: [how] });
    const [error] = await nextEvent<[Refusal]>(client.open(url, from("https://evil.example")), "connect_error");
    if (how === "polling") expect(error.description).toBe(403);
    else expect((error.description as unknown as Error).message).toContain("403");
    await client.connect(url, from(url));
  });

  it("are found in signed cookies too", async () => {
    const { url } = await startSecureApp({ peer: { cookie: { path: "/", signed: true } } });
    const cookie = await login(url);
    const socket = await client.connect(url, { extraHeaders: { cookie } });
    const gone = nextEvent(socket, "disconnect");
    await post(url, "logout", await post(url, "count", cookie));
    await gone;
  });

  it("leave sockets alone with onEnd: ignore, and keep clients away with disconnect", async () => {
    for (const onEnd of ["ignore", "disconnect"] as const) {
      const { url } = await startSecureApp({ session: { onEnd } });
      const cookie = await login(url);
      const socket = await client.connect(url, { ...reconnecting, extraHeaders: { cookie } });
      const reasons: string[] = [];
      socket.on("disconnect", (reason) => reasons.push(reason));
      const gone = onEnd === "ignore" ? undefined : nextEvent(socket, "disconnect");
      await post(url, "logout", cookie);
      if (onEnd === "ignore") expect(await socket.emitWithAck("me")).toEqual({ user: "ada" });
      await gone;
      expect(reasons).toEqual(onEnd === "ignore" ? [] : ["io server disconnect"]);
    }
  });

  it.each([
    ["of another name", { sessionName: "login" }],
    [
      "one of several",
      [{ key: Buffer.alloc(32, 8) }, { key: KEY, sessionName: "login", cookieName: "l", cookie: { path: "/" } }],
    ],
  ])("are those that the option session names: %s", async (_which, peer) => {
    const { url } = await startSecureApp({ peer, session: { name: "login" } });
    const cookie = await login(url);
    const socket = await client.connect(url, { extraHeaders: { cookie } });
    expect(await socket.emitWithAck("me")).toEqual({ user: "ada" });
    const gone = nextEvent(socket, "disconnect");
    await post(url, "logout", await post(url, "count", cookie));
    await gone;
  });
});

describe("a session of @fastify/secure-session that there is not", () => {
  it.each([
    ["named by the option", {}, { session: { name: "login" } }],
    ["for all have names", { peer: { sessionName: "login" } }, {}],
  ])("is told of at once: %s", async (_why, peer, options) => {
    await expect(startSecureApp({ ...peer, ...options })).rejects.toMatchObject({
      code: "SIO_FASTIFY_INVALID_OPTION",
      message: expect.stringContaining("session: { name }") as unknown,
    });
  });
});
