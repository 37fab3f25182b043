import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyRequest } from "fastify";
import { EventEmitter } from "node:events";
import { loadPeer } from "./peers.js";
import { listen, type Setup, type StartedApp } from "./start-app.js";

/** What `@fastify/session` puts on a request, as far as tests use it. */
interface AppSession {
  sessionId: string;
  user?: string;
  count?: number;
  save(): Promise<void>;
  regenerate(): Promise<void>;
  destroy(): Promise<void>;
}

const sessionOf = (request: FastifyRequest): AppSession => (request as unknown as { session: AppSession }).session;

/** A store in memory that takes a turn of the event loop for everything, and keeps texts as a database would. */
export class SlowStore extends EventEmitter {
  readonly texts = new Map<string, string>();

  get(id: string, done: (error: unknown, session?: object) => void): void {
    setImmediate(() => {
      const text = this.texts.get(id);
      if (text === undefined) return done(null);
      done(null, JSON.parse(text) as object);
    });
  }

  set(id: string, session: object, done: (error?: unknown) => void): void {
    const text = JSON.stringify(session);
    setImmediate(() => {
      this.texts.set(id, text);
      done();
    });
  }

  destroy(id: string, done: (error?: unknown) => void): void {
    setImmediate(() => {
      this.texts.delete(id);
      done();
    });
  }
}

export const SECRET = "a secret with at least thirty-two characters";

/**
 * An application with a login: `/login`, `/logout`, `/regenerate`, `/count` (adds one to the session, slowly) and `/me`. Its
 * handshakes need a login.
 */
export async function startSessionApp({
  store = new SlowStore(),
  cookie = {},
  setup,
  port = 0,
  ...options
}: SocketioOptions & { store?: SlowStore; cookie?: object; port?: number; setup?: Setup } = {}): Promise<
  StartedApp & { store: SlowStore }
> {
  const app = Fastify();
  await app.register(await loadPeer("@fastify/cookie"));
  await app.register(await loadPeer("@fastify/session"), {
    secret: SECRET,
    store,
    saveUninitialized: false,
    cookie: { secure: false, ...cookie },
  });
  await app.register(socketio, {
    routeOptions: {
      preHandler: async (request, reply) => {
        if (sessionOf(request).user === undefined) return reply.code(401).send({ error: "login first" });
        return undefined;
      },
    },
    ...options,
  });
  app.post("/login", async (request) => {
    sessionOf(request).user = "ada";
    sessionOf(request).count = 0;
    return "ok";
  });
  app.post("/logout", async (request) => {
    await sessionOf(request).destroy();
    return "ok";
  });
  app.post("/regenerate", async (request) => {
    await sessionOf(request).regenerate();
    return "ok";
  });
  app.post("/count", async (request) => {
    const before = sessionOf(request).count ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 2));
    sessionOf(request).count = before + 1;
    return "ok";
  });
  app.get("/me", async (request) => ({ ...sessionOf(request), cookie: undefined }));
  await setup?.(app);
  return { ...(await listen(app, "127.0.0.1", port)), store };
}

/** Logs in, and gives the cookie. */
export async function login(url: string): Promise<string> {
  const response = await fetch(`${url}/login`, { method: "POST" });
  const [cookie = ""] = response.headers.getSetCookie();
  return cookie.split(";", 1)[0] as string;
}
