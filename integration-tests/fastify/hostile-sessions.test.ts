import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { deferred } from "./deferred.js";
import { loadPeer } from "./peers.js";
import { SECRET } from "./session-app.js";
import { listen } from "./start-app.js";

type Session = Record<string, unknown> & {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  delete(): void;
  destroy(): Promise<void>;
};

const sessionOf = (request: FastifyRequest): Session => (request as unknown as { session: Session }).session;

const stored = {
  name: "@fastify/session",
  register: async (app: FastifyInstance): Promise<void> => {
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), {
      secret: SECRET,
      saveUninitialized: false,
      cookie: { secure: false },
    });
  },
  end: (session: Session): unknown => session.destroy(),
};

const secure = {
  name: "@fastify/secure-session",
  register: async (app: FastifyInstance): Promise<void> => {
    await app.register(await loadPeer("@fastify/secure-session"), { key: Buffer.alloc(32, 7), cookie: { path: "/" } });
  },
  end: (session: Session): unknown => session.delete(),
};

async function start({ register, end }: typeof stored, options: SocketioOptions, onRoute = async () => {}) {
  const app = Fastify();
  await register(app);
  await app.register(socketio, {
    ...options,
    routeOptions: {
      preHandler: async (request, reply) => {
        if (sessionOf(request).get("user") === undefined) return reply.code(401).send("login first");
        await onRoute();
        return undefined;
      },
    },
  });
  app.post("/login", async (request) => {
    sessionOf(request).set("user", "ada");
    return "ok";
  });
  app.post("/visit", async (request) => {
    sessionOf(request).set("visitor", true);
    return "ok";
  });
  app.post("/logout", async (request) => {
    await end(sessionOf(request));
    return "ok";
  });
  const { url } = await listen(app);
  const post = async (path: string, cookie = ""): Promise<string> => {
    const response = await fetch(`${url}${path}`, { method: "POST", headers: { cookie } });
    expect(response.status).toBe(200);
    return response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  };
  const connect = (cookie: string): WebSocket => {
    const ws = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, { headers: { cookie } });
    onTestFinished(() => ws.terminate());
    return ws.on("error", () => {});
  };
  return { app, post, connect };
}

/** What it gets until it is closed. */
async function packets(ws: WebSocket): Promise<string[]> {
  const got: string[] = [];
  ws.on("message", (data: Buffer) => got.push(data.toString()));
  await once(ws, "close");
  return got;
}

describe.each([stored, secure])("who has logged out of a session of $name", (kind) => {
  it.each(["handshake", "all"] as const)(
    "is in no namespace, if its connection had none by then, with hooks: %s",
    async (hooks) => {
      const { app, post, connect } = await start(kind, { hooks });
      const joined: unknown[] = [];
      app.io.on("connection", (socket) => joined.push(socket));
      const cookie = await post("/login");
      const ws = connect(cookie);
      await once(ws, "open");
      const got = packets(ws);
      await post("/logout", cookie);
      ws.send("40");
      expect((await got).filter((packet) => packet.startsWith("40"))).toEqual([]);
      expect(joined).toEqual([]);
    },
  );

  it.each(["rehandshake", "disconnect"] as const)(
    "is not let in by hooks that began before that: %s",
    async (onEnd) => {
      const { promise: asked, resolve: ask } = deferred();
      const { promise: mayGoOn, resolve: goOn } = deferred();
      const { app, post, connect } = await start(kind, { session: { onEnd } }, async () => {
        ask();
        await mayGoOn;
      });
      const joined: unknown[] = [];
      app.io.on("connection", (socket) => joined.push(socket));
      const cookie = await post("/login");
      const ws = connect(cookie);
      await asked;
      await post("/logout", cookie);
      goOn();
      await once(ws, "open");
      const got = packets(ws);
      ws.send("40");
      expect((await got).filter((packet) => packet.startsWith("40"))).toEqual([]);
      expect(joined).toEqual([]);
    },
  );

  it("stays where it is when the program ignores ends of sessions", async () => {
    const { post, connect } = await start(kind, { session: { onEnd: "ignore" } });
    const cookie = await post("/login");
    const ws = connect(cookie);
    await once(ws, "open");
    await post("/logout", cookie);
    ws.send("40");
    const [packet] = (await once(ws, "message")) as [Buffer];
    expect(packet.toString()).toMatch(/^40/);
  });
});

it("a second session of @fastify/secure-session under another name keeps nobody in", async () => {
  const { post, connect } = await start(secure, {});
  const cookie = await post("/login");
  const decoy = await post("/visit");
  const ws = connect(`decoy=${decoy.slice(decoy.indexOf("=") + 1)}; ${cookie}`);
  await once(ws, "open");
  ws.send("40");
  await once(ws, "message");
  const closed = once(ws, "close");
  await post("/logout", cookie);
  await closed;
});
