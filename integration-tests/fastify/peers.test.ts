import { socketio } from "@plugboard/fastify";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Type } from "typebox";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { loadPeer } from "./peers.js";
import { login, SECRET } from "./session-app.js";
import { listen } from "./start-app.js";

const fixtures = fileURLToPath(new URL("./fixtures/", import.meta.url));
const requirePeer = createRequire(new URL("./peers/package.json", import.meta.url));

/** Plugins that need no more than to be registered, with the options that they need. */
const plugins: [name: string, options: object][] = [
  ["@fastify/cookie", {}],
  ["@fastify/cors", {}],
  ["@fastify/helmet", {}],
  ["@fastify/rate-limit", {}],
  ["@fastify/jwt", { secret: SECRET }],
  ["@fastify/secure-session", { key: Buffer.alloc(32, 1) }],
  ["@fastify/websocket", {}],
  ["@fastify/swagger", {}],
  ["@fastify/http-proxy", { upstream: "http://127.0.0.1:1", prefix: "/proxied", websocket: true }],
];

async function answers(url: string, event: string, options: object = {}): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const client of bothClients) {
    for (const transport of ["polling", "websocket"]) {
      const socket = await client.connect(url, { transports: [transport], ...options });
      found.push(await socket.emitWithAck(event));
    }
  }
  return found;
}

const four = (answer: unknown): unknown[] => [answer, answer, answer, answer];

describe("works with", () => {
  it.each(plugins)("%s, registered before and behind", async (name, options) => {
    const plugin = await loadPeer(name);
    for (const isFirst of [true, false]) {
      const app = Fastify();
      if (isFirst) await app.register(plugin, options as never);
      await app.register(socketio);
      if (!isFirst) await app.register(plugin, options as never);
      if (!isFirst && name === "@fastify/secure-session") {
        // Sockets would be without it.
        await expect(app.ready()).rejects.toMatchObject({ code: "SIO_FASTIFY_NO_SESSION" });
        continue;
      }
      app.io.event("here", () => name);
      const { url } = await listen(app);
      expect(await answers(url, "here")).toEqual(four(name));
    }
  });

  it("all of them at once", async () => {
    const app = Fastify();
    for (const [name, options] of plugins) {
      // It brings a session of its own, and uses the same cookies.
      if (name !== "@fastify/cookie") await app.register(await loadPeer(name), options as never);
    }
    await app.register(socketio);
    app.io.event("here", () => "all");
    const { url } = await listen(app);
    expect(await answers(url, "here")).toEqual(four("all"));
  });

  it("@fastify/passport: the user that it finds is on socket.request", async () => {
    const app = Fastify();
    await app.register(await loadPeer("@fastify/cookie"));
    await app.register(await loadPeer("@fastify/session"), { secret: SECRET, cookie: { secure: false } });
    const { Authenticator } = await loadPeer<{ Authenticator: new () => Passport }>("@fastify/passport");
    const passport = new Authenticator();
    passport.registerUserSerializer(async (user) => user.id);
    passport.registerUserDeserializer(async (id) => ({ id }));
    await app.register(passport.initialize() as never);
    await app.register(passport.secureSession() as never);
    await app.register(socketio, {
      routeOptions: {
        preHandler: async (request, reply) =>
          (request as PassportRequest).isAuthenticated() ? undefined : reply.code(401).send("log in"),
      },
    });
    app.post("/login", async (request) => {
      await (request as PassportRequest).logIn({ id: "ada" });
      return "ok";
    });
    app.io.event("me", (_payload, { socket }) => (socket.request as PassportRequest).user?.id);
    const { url } = await listen(app);
    const cookie = await login(url);
    expect(await answers(url, "me", { extraHeaders: { cookie } })).toEqual(four("ada"));
    await nextEvent(bothClients[0]!.open(url), "connect_error");
  });

  it("@fastify/swagger: the documentation leaves the route out", async () => {
    const app = Fastify();
    await app.register(await loadPeer("@fastify/swagger"));
    await app.register(socketio);
    app.get("/page", () => "a page");
    await app.ready();
    const { paths } = (app as unknown as { swagger(): { paths: object } }).swagger();
    expect(Object.keys(paths)).toEqual(["/page"]);
    await app.close();
  });

  it("@fastify/autoload: plugins in files see fastify.io", async () => {
    const app = Fastify();
    await app.register(socketio);
    await app.register(await loadPeer("@fastify/autoload"), { dir: `${fixtures}autoload` } as never);
    const { url } = await listen(app);
    expect(await answers(url, "loaded")).toEqual(four("by autoload"));
  });

  it.each(["fastify-plugin", "fastify-plugin-6"])("%s: what it wraps is in the scope around it", async (name) => {
    const wrap = name === "fastify-plugin" ? fastifyPlugin : await loadPeer<never>(name);
    const wrapped = (wrap as unknown as (plugin: unknown) => never)(async (app: FastifyInstance) => {
      app.io.event("wrapped", () => name);
    });
    const app = Fastify();
    const seen: string[] = [];
    await app.register(socketio);
    app.io.addHook("preEvent", ({ event }) => void seen.push(event));
    await app.register(wrapped);
    const { url } = await listen(app);
    expect(await answers(url, "wrapped")).toEqual(four(name));
    expect(seen).toHaveLength(4);
  });

  it("the type providers of typebox and zod, and schemas of json-schema-to-ts", async () => {
    const { TypeBoxValidatorCompiler } = await loadPeer<{ TypeBoxValidatorCompiler: never }>(
      "@fastify/type-provider-typebox",
    );
    const { validatorCompiler } = await loadPeer<{ validatorCompiler: never }>("fastify-type-provider-zod");
    const app = Fastify();
    await app.register(socketio);
    await app.register(async (scope) => {
      scope.setValidatorCompiler(TypeBoxValidatorCompiler);
      scope.io.event("typebox", { schema: { payload: Type.Number({ maximum: 5 }) } }, (n) => n);
    });
    await app.register(async (scope) => {
      scope.setValidatorCompiler(validatorCompiler);
      scope.io.event("zod", { schema: { payload: z.number().max(5) } }, (n) => n);
    });
    app.io.event("json", { schema: { payload: { type: "number", maximum: 5 } as const } }, (n) => n);
    const { url } = await listen(app);
    const socket = await bothClients[0]!.connect(url);
    for (const event of ["typebox", "zod", "json"]) {
      expect(await socket.emitWithAck(event, 5)).toBe(5);
      expect(await socket.emitWithAck(event, 6)).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    }
  });

  it("better-auth: its session decides on handshakes", async () => {
    await loadPeer("@fastify/cookie");
    const importPeer = (name: string): Promise<never> => import(pathToFileURL(requirePeer.resolve(name)).href) as never;
    const { betterAuth } = (await importPeer("better-auth")) as { betterAuth(options: object): BetterAuth };
    const { memoryAdapter } = (await importPeer("better-auth/adapters/memory")) as {
      memoryAdapter(db: object): object;
    };
    const auth = betterAuth({
      baseURL: "http://127.0.0.1",
      secret: SECRET,
      database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
      emailAndPassword: { enabled: true },
      telemetry: { enabled: false },
    });
    const { headers } = await auth.api.signUpEmail({
      body: { name: "Ada", email: "ada@example.com", password: "a long password" },
      returnHeaders: true,
    });
    const cookie = headers
      .getSetCookie()
      .map((field) => field.split(";", 1)[0])
      .join("; ");
    const app = Fastify();
    app.decorateRequest("user");
    await app.register(socketio, {
      routeOptions: {
        preHandler: async (request, reply) => {
          const session = await auth.api.getSession({ headers: new Headers({ cookie: request.headers.cookie ?? "" }) });
          if (session === null) return reply.code(401).send("log in");
          Object.assign(request, { user: session.user });
          return undefined;
        },
      },
    });
    app.io.event("me", (_payload, { socket }) => (socket.request as FastifyRequest & BetterAuthSession).user.name);
    const { url } = await listen(app);
    expect(await answers(url, "me", { extraHeaders: { cookie } })).toEqual(four("Ada"));
    await nextEvent(bothClients[0]!.open(url), "connect_error");
  });

  it("close-with-grace: on SIGTERM running handlers finish, and the process ends", async () => {
    await loadPeer("close-with-grace");
    const child = start([`${fixtures}graceful.mjs`]);
    const url = await printed(child, /http:\/\/\S+:\d+/);
    const socket = await bothClients[0]!.connect(url);
    const begun = nextEvent(socket, "begun");
    const answered = socket.emitWithAck("slow");
    const closed = printed(child, /closed/);
    await begun;
    child.kill("SIGTERM");
    expect(await answered).toBe("finished");
    await closed;
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
  });

  it("fastify-cli", async () => {
    await loadPeer("close-with-grace");
    const cli = requirePeer.resolve("fastify-cli/cli.js");
    // With `-p 0` it takes 3000.
    const child = start([cli, "start", "-a", "127.0.0.1", "-l", "info", `${fixtures}cli-app.mjs`], { PORT: "0" });
    const url = await printed(child, /http:\/\/127\.0\.0\.1:\d+/);
    expect(await answers(url, "started")).toEqual(four("by fastify-cli"));
  });
});

function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
  const child = spawn(process.execPath, args, { stdio, cwd: fixtures, env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Waits for the output of a program to match. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) resolve(found);
    });
    // Not "exit", which may come before what was printed.
    child.once("close", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}

interface Passport {
  registerUserSerializer(serialize: (user: { id: string }) => Promise<string>): void;
  registerUserDeserializer(deserialize: (id: string) => Promise<{ id: string }>): void;
  initialize(): unknown;
  secureSession(): unknown;
}

type PassportRequest = FastifyRequest & {
  user?: { id: string };
  isAuthenticated(): boolean;
  logIn(user: { id: string }): Promise<void>;
};

interface BetterAuthSession {
  user: { name: string };
}

interface BetterAuth {
  api: {
    signUpEmail(options: object): Promise<{ headers: Headers }>;
    getSession(options: { headers: Headers }): Promise<BetterAuthSession | null>;
  };
}
