import { socketio } from "@plugboard/fastify";
import type { SocketSession } from "@plugboard/session";
import Fastify from "fastify";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { deferred } from "./deferred.js";
import { attachPublished } from "./anchor.js";
import { loadPeer } from "./peers.js";
import { listen } from "./start-app.js";
import { login, SECRET, startSessionApp } from "./session-app.js";

interface Data {
  user?: string;
  count?: number;
}
interface WithSession {
  readonly session: SocketSession<Data>;
}
interface Refusal extends Error {
  readonly description?: number;
}

const counting = (app: import("fastify").FastifyInstance): unknown =>
  app.io.event("count", async (_payload, { socket }) => {
    const { session } = socket as unknown as WithSession;
    const data = await session.update(async (draft) => {
      const before = draft.count ?? 0;
      await new Promise((resolve) => setImmediate(resolve));
      draft.count = before + 1;
    });
    return data.count;
  });

afterEach(() => void vi.useRealTimers());

describe.each(bothClients)("sessions of @fastify/session, as $name sees them", (client) => {
  it.each(["polling", "websocket"])("are on sockets that came by %s", async (transport) => {
    const { url } = await startSessionApp({
      setup: (app) =>
        app.io.event("me", (_payload, { socket }) => (socket as unknown as WithSession).session.data.user),
    });
    const extraHeaders = { cookie: await login(url) };
    const socket = await client.connect(url, { transports: [transport], extraHeaders });
    expect(await socket.emitWithAck("me")).toBe("ada");
  });

  it("lose no update of sockets and requests at the same time", async () => {
    const { url } = await startSessionApp({ setup: counting });
    const cookie = await login(url);
    const extraHeaders = { cookie };
    const polling = await client.connect(url, { transports: ["polling"], extraHeaders });
    const websocket = await client.connect(url, { transports: ["websocket"], extraHeaders });
    const work: Promise<unknown>[] = [];
    for (let i = 0; i < 10; i++) {
      work.push(polling.emitWithAck("count"), websocket.emitWithAck("count"));
      work.push(fetch(`${url}/count`, { method: "POST", headers: { cookie }, body: "x" }));
      work.push(fetch(`${url}/me`, { headers: { cookie } }));
    }
    await Promise.all(work);
    const me = (await (await fetch(`${url}/me`, { headers: { cookie } })).json()) as Data;
    expect(me.count).toBe(30);
  });

  it("tell sockets of what requests change", async () => {
    const changed = deferred<Data>();
    const { url } = await startSessionApp({
      setup: (app) =>
        app.io.on("connection", (socket) => {
          (socket as unknown as WithSession).session.on("changed", (data) => changed.resolve(data));
        }),
    });
    const cookie = await login(url);
    await client.connect(url, { extraHeaders: { cookie } });
    await fetch(`${url}/count`, { method: "POST", headers: { cookie } });
    expect((await changed.promise).count).toBe(1);
  });

  it("are rooms that routes can send to", async () => {
    const { url } = await startSessionApp({
      setup: (app) => {
        app.post("/tell", async (request) => {
          request.io.to((request as unknown as { session: { sessionId: string } }).session).emit("told");
          return "ok";
        });
      },
    });
    const [ada, bob] = [await login(url), await login(url)];
    const socket = await client.connect(url, { extraHeaders: { cookie: ada } });
    const other = await client.connect(url, { extraHeaders: { cookie: bob } });
    const told: string[] = [];
    socket.on("told", () => told.push("ada"));
    other.on("told", () => told.push("bob"));
    const heard = nextEvent(socket, "told");
    const answer = await fetch(`${url}/tell`, { method: "POST", headers: { cookie: ada } });
    expect(await answer.text()).toBe("ok");
    await heard;
    const last = nextEvent(other, "told");
    await fetch(`${url}/tell`, { method: "POST", headers: { cookie: bob } });
    await last;
    expect(told).toEqual(["ada", "bob"]);
  });

  it.each(["polling", "websocket"])("refuse a client over %s that has not logged in", async (transport) => {
    const { url } = await startSessionApp();
    const [error] = await nextEvent<[Refusal]>(client.open(url, { transports: [transport] }), "connect_error");
    if (transport === "polling") expect(error.description).toBe(401);
    else expect((error.description as unknown as Error).message).toContain("401");
  });

  it.each(["logout", "regenerate"])(
    "end sockets by %s: the client comes back, and is refused with the old cookie",
    async (path) => {
      const { url, app } = await startSessionApp();
      const cookie = await login(url);
      const options = { extraHeaders: { cookie }, reconnection: true, reconnectionDelay: 10, transports: ["polling"] };
      const socket = await client.connect(url, options);
      const disconnected = nextEvent<[string]>(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket.io, "reconnect_error");
      await fetch(`${url}/${path}`, { method: "POST", headers: { cookie } });
      await disconnected;
      expect((await refused)[0].description).toBe(401);
      expect(app.io.sockets.sockets.size).toBe(0);
      // Nobody is stranded: with a new login it gets in by itself.
      options.extraHeaders.cookie = await login(url);
      const back = nextEvent(socket, "connect");
      (socket.io.opts as typeof options).extraHeaders = options.extraHeaders;
      await back;
    },
  );

  it("end sockets when they expire", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
    const maxAge = 60_000;
    const { url, app } = await startSessionApp({ cookie: { maxAge }, pingInterval: 2 * maxAge });
    const options = { extraHeaders: { cookie: await login(url) }, transports: ["polling"] };
    const socket = await client.connect(url, options);
    vi.advanceTimersByTime(maxAge / 2);
    expect(socket.connected).toBe(true);
    vi.advanceTimersByTime(maxAge / 2 + 1000);
    await nextEvent(socket, "disconnect");
    expect(app.io.sockets.sockets.size).toBe(0);
    const [error] = await nextEvent<[Refusal]>(client.open(url, options), "connect_error");
    expect(error.description).toBe(401);
  });

  it("outlive a restart of the server, and so do its clients", async () => {
    const first = await startSessionApp({ setup: counting });
    const cookie = await login(first.url);
    const options = { extraHeaders: { cookie }, reconnection: true, reconnectionDelay: 10 };
    const socket = await client.connect(first.url, options);
    expect(await socket.emitWithAck("count")).toBe(1);
    const disconnected = nextEvent<[string]>(socket, "disconnect");
    await first.app.close();
    expect((await disconnected)[0]).toBe("transport close");
    const back = nextEvent(socket, "connect");
    await startSessionApp({ store: first.store, port: first.port, setup: counting });
    await back;
    expect(await socket.emitWithAck("count")).toBe(2);
  });

  it.each(["polling", "websocket"])("keep pages of other origins out over %s", async (transport) => {
    const { url } = await startSessionApp();
    const cookie = await login(url);
    const from = (origin: string) => ({ extraHeaders: { cookie, origin }, transports: [transport] });
    const [error] = await nextEvent<[Refusal]>(client.open(url, from("https://evil.example")), "connect_error");
    if (transport === "polling") expect(error.description).toBe(403);
    else expect((error.description as unknown as Error).message).toContain("403");
    await client.connect(url, from(url));
  });
});

describe("sessions", () => {
  it("of @fastify/secure-session can be read, and say why they cannot be written", async () => {
    const app = Fastify();
    await app.register(await loadPeer("@fastify/secure-session"), { key: Buffer.alloc(32, 7), cookie: { path: "/" } });
    await app.register(socketio);
    app.post("/login", async (request) => {
      (request as unknown as { session: { set(name: string, value: string): void } }).session.set("user", "ada");
      return "ok";
    });
    app.io.event("me", (_payload, { socket }) => (socket as unknown as WithSession).session.data.user);
    app.io.event("change", (_payload, { socket }) => (socket as unknown as WithSession).session.update(() => {}));
    const { url } = await listen(app);
    const socket = await bothClients[0]!.connect(url, { extraHeaders: { cookie: await login(url) } });
    expect(await socket.emitWithAck("me")).toBe("ada");
    expect(await socket.emitWithAck("change")).toMatchObject({ status: "error", code: "SIO_SESSION_READ_ONLY" });
  });

  it("that are wanted and not there are an error that says what to do", async () => {
    const app = Fastify();
    await expect(app.register(socketio, { session: true })).rejects.toMatchObject({
      code: "SIO_FASTIFY_NO_SESSION",
      message: expect.stringContaining("register it before @plugboard/fastify") as string,
    });
  });
});

describe("the published server attached to the HTTP server", () => {
  it("knows no session, and leaves sockets in when it has ended", async () => {
    const { app, io } = await attachPublished();
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), { secret: SECRET, cookie: { secure: false } });
    const session = (request: object): { user?: string; destroy(): Promise<void> } =>
      (request as { session: { user?: string; destroy(): Promise<void> } }).session;
    app.post("/login", async (request) => {
      session(request).user = "ada";
      return "ok";
    });
    app.post("/logout", async (request) => {
      await session(request).destroy();
      return "ok";
    });
    io.on("connection", (socket) =>
      socket.on("session", (answer: (what: string) => void) => answer(typeof session(socket.request))),
    );
    const { url } = await listen(app);
    const cookie = await login(url);
    const socket = await bothClients[0]!.connect(url, { extraHeaders: { cookie } });
    expect((await fetch(`${url}/logout`, { method: "POST", headers: { cookie } })).status).toBe(200);
    expect(await socket.emitWithAck("session")).toBe("undefined");
  });
});
