import type { SocketioOptions } from "@plugboard/fastify";
import type { FastifyReply } from "fastify";
import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { loadPeer } from "./peers.js";
import { startApp, type Setup } from "./start-app.js";

const WEBSOCKET = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
const KEY = { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

interface Logged {
  readonly msg: string;
  readonly res?: { readonly statusCode: number };
  readonly err?: { readonly code: unknown };
}

/** What an upgrade gets; one that is accepted is closed. */
async function upgrade(port: number, headers: Record<string, string> = {}, query = ""): Promise<Answer> {
  const req = httpRequest({
    port,
    host: "127.0.0.1",
    path: `/socket.io/?EIO=4&transport=websocket${query}`,
    headers: { ...WEBSOCKET, ...headers },
  });
  req.end();
  return new Promise((resolve, reject) => {
    req.once("error", reject);
    req.once("upgrade", (res, socket) => {
      socket.destroy();
      resolve({ status: res.statusCode, headers: res.headers });
    });
    req.once("response", (res) => {
      res.resume();
      resolve({ status: res.statusCode, headers: res.headers });
    });
  });
}

/** An application that keeps what `onResponse` and the log say. */
async function start(options: SocketioOptions = {}, before: Setup = () => {}) {
  const logged: unknown[] = [];
  const failures: unknown[] = [];
  const responses: number[] = [];
  const waiting: (() => void)[] = [];
  const logger = {
    level: "info",
    stream: {
      write: (line: string) => {
        const { msg, res, err } = JSON.parse(line) as Logged;
        if (err !== undefined) failures.push(err.code);
        if (msg === "request completed") logged.push(res?.statusCode);
        if (msg === "request completed") waiting.shift()?.();
      },
    },
  };
  const started = await startApp(options, {
    before: async (app) => {
      app.addHook("onResponse", async (_request, reply) => void responses.push(reply.statusCode));
      await before(app);
    },
    fastify: { logger },
  });
  const completed = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { ...started, logged, failures, responses, completed };
}

describe("onResponse and the log", () => {
  it("say 101 of an upgrade that is accepted, once", async () => {
    const { port, logged, responses, completed } = await start();
    const done = completed();
    expect(await upgrade(port, KEY)).toMatchObject({ status: 101 });
    await done;
    expect([responses, logged]).toEqual([[101], [101]]);
  });

  it.each<[string, SocketioOptions, Record<string, string>, string, number]>([
    ["by allowRequest", { allowRequest: (_req, done) => setImmediate(() => done("no", false)) }, KEY, "", 400],
    ["for its protocol version", {}, KEY, "&EIO=3", 400],
    ["for a transport that is off", { transports: ["polling"] }, KEY, "", 400],
    ["for its origin", { checkOrigin: true }, { ...KEY, Origin: "http://elsewhere.example" }, "", 403],
    ["by ws, for it has no key", {}, {}, "", 400],
  ])(
    "say what the client gets when the engine refuses an upgrade %s",
    async (_why, options, headers, query, status) => {
      const { port, logged, responses, completed } = await start(options);
      const done = completed();
      expect(await upgrade(port, headers, query)).toMatchObject({ status });
      await done;
      expect([responses, logged]).toEqual([[status], [status]]);
    },
  );

  it("say what a middleware of the engine has answered", async () => {
    const { app, port, responses, completed } = await start();
    app.io.engine.use((_req, res) => void res.writeHead(418).end("tea"));
    const done = completed();
    expect(await upgrade(port, KEY)).toMatchObject({ status: 418 });
    await done;
    expect(responses).toEqual([418]);
  });

  it("say what a hook has answered", async () => {
    const { port, responses, completed } = await start({
      routeOptions: { preHandler: async (_request, reply) => reply.code(401).send({ error: "login" }) },
    });
    const done = completed();
    expect(await upgrade(port, KEY)).toMatchObject({ status: 401 });
    await done;
    expect(responses).toEqual([401]);
  });
});

describe("onSend hooks", () => {
  it("run for a 101, and what they set is on it", async () => {
    const seen: unknown[] = [];
    const { port } = await start({}, (app) =>
      app.addHook("onSend", async (_request, reply, payload) => {
        seen.push(reply.statusCode, payload);
        await Promise.resolve();
        reply.header("x-sent", "yes").header("set-cookie", ["a=1", "b=2"]);
      }),
    );
    const { status, headers } = await upgrade(port, KEY);
    expect([status, headers["x-sent"], headers["set-cookie"]]).toEqual([101, "yes", ["a=1", "b=2"]]);
    expect(headers).not.toHaveProperty("content-length");
    expect(seen).toEqual([101, undefined]);
  });

  it("refuse an upgrade by a throw", async () => {
    const { app, port, responses, completed } = await start({}, (it) =>
      it.addHook("onSend", async (_request, reply) => {
        if (reply.statusCode === 101) throw Object.assign(new Error("not now"), { statusCode: 503 });
      }),
    );
    const connected: unknown[] = [];
    app.io.on("connection", (socket) => connected.push(socket));
    const done = completed();
    expect(await upgrade(port, KEY)).toMatchObject({ status: 503 });
    await done;
    expect([responses, connected]).toEqual([[503], []]);
  });

  it("leave nothing behind when the client goes meanwhile, and the application closes", async () => {
    const { app, port } = await start({}, (it) => {
      it.addHook("onSend", async (request) => {
        request.raw.socket.destroy();
        await once(request.raw.socket, "close");
      });
    });
    await expect(upgrade(port, KEY)).rejects.toThrow();
    await app.close();
    expect(app.io.engine.clientsCount).toBe(0);
  });

  it.each(bothClients)(
    "save a session of @fastify/session that begins with a WebSocket handshake: $name",
    async (client) => {
      const cookie = await loadPeer("@fastify/cookie");
      const session = await loadPeer("@fastify/session");
      const { app, port, url } = await start({}, async (it) => {
        await it.register(cookie);
        await it.register(session, { secret: "a secret of at least thirty-two characters", cookie: { secure: false } });
        it.addHook("preHandler", async (request) => {
          const { session } = request as unknown as { session: { visits?: number } };
          session.visits = (session.visits ?? 0) + 1;
        });
      });
      app.io.event(
        "visits",
        (_payload, { socket }) => (socket as unknown as { session: { data: object } }).session.data,
      );
      const { headers } = await upgrade(port, KEY);
      const [given] = headers["set-cookie"] ?? [];
      expect(given).toMatch(/^sessionId=/);
      const socket = await client.connect(url, {
        transports: ["websocket"],
        extraHeaders: { cookie: given!.split(";")[0]! },
      });
      expect(await socket.emitWithAck("visits", null)).toMatchObject({ visits: 2 });
    },
  );
});

describe("a header field that cannot be sent", () => {
  const spoil = (_request: unknown, reply: FastifyReply) => void reply.header("x-user", "ada\r\nx-admin: yes");
  it.each<[string, Setup]>([
    ["a hook", (app) => app.addHook("onRequest", async (request, reply) => spoil(request, reply))],
    [
      // As plugins of sessions have: what Node throws behind it would end the process.
      "a hook in front of a callback",
      (app) =>
        app
          .addHook("onRequest", async (request, reply) => spoil(request, reply))
          .addHook("onSend", (_request, _reply, _payload, done) => void setImmediate(done)),
    ],
    [
      "a callback",
      (app) =>
        app.addHook("onSend", (request, reply, _payload, done) => {
          spoil(request, reply);
          setImmediate(done);
        }),
    ],
  ])("gets a 500 over polling and for an upgrade, is logged, and lets nobody in: by %s", async (_how, before) => {
    const { app, port, failures, responses, completed } = await start({}, before);
    for (const ask of [
      () => fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`),
      () => upgrade(port, KEY),
    ]) {
      const done = completed();
      expect((await ask()).status).toBe(500);
      await done;
    }
    expect(new Set(failures)).toEqual(new Set(["ERR_INVALID_CHAR"]));
    expect(responses).toEqual([500, 500]);
    expect(app.io.engine.clientsCount).toBe(0);
  });
});
