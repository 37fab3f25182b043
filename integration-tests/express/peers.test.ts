import { socketio, type ExpressServer, type ExpressSocket } from "@plugboard/express";
import type { Express, Request, RequestHandler } from "express";
import { once } from "node:events";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import session from "express-session";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { nextEvent } from "../support/next-event.js";
import { expressVersions, loadPeer } from "./peers.js";
import { startApp, urlOf, type StartedApp } from "./start-app.js";
import { clientKinds, Visitor } from "./visitor.js";

type Extended = Request & Record<string, unknown>;

/** Answers the event `tell` with something of the request that the connection began with. */
function telling(io: ExpressServer, read: (request: Extended) => unknown): void {
  io.on("connection", (socket: ExpressSocket) => {
    socket.handle("tell", () => read(socket.request as Extended));
  });
}

interface Counted {
  count?: number;
  user?: string;
}

/** Sessions that a login begins, a socket changes and a logout ends. */
function mountSessions(app: Express, io: ExpressServer, middleware: RequestHandler): void {
  app.use(middleware);
  const sessionOf = (req: Request): Counted => req.session as Counted;
  app.use(io.middleware({ gate: (req, res, next) => (sessionOf(req).user ? next() : void res.sendStatus(401)) }));
  app.post("/login", (req, res) => {
    sessionOf(req).user = "ada";
    res.json({});
  });
  app.post("/count", (req, res) => {
    const data = sessionOf(req);
    data.count = (data.count ?? 0) + 1;
    res.json({});
  });
  app.get("/data", (req, res) => void res.json(req.session));
  app.post("/logout", (req, res) => void req.session.destroy(() => res.json({})));
  io.on("connection", (socket) => {
    socket.handle("count", async () => {
      const data = await socket.session.update((draft: Counted) => void (draft.count = (draft.count ?? 0) + 1));
      return (data as Counted).count;
    });
  });
}

/** Twelve increments by sockets and requests at once, then a logout. */
async function useSessions(url: string): Promise<void> {
  const visitor = new Visitor(url);
  await visitor.everyClientIsRefused(401);
  await visitor.post("/login");
  const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind)));
  await Promise.all(
    sockets.flatMap((socket) => [socket.emitWithAck("count"), socket.emitWithAck("count"), visitor.post("/count")]),
  );
  expect(await (await visitor.fetch("/data")).json()).toMatchObject({ count: 12 });
  const ended = sockets.map((socket) => nextEvent(socket, "disconnect"));
  const refused = sockets.map((socket) => nextEvent(socket, "connect_error"));
  await visitor.post("/logout");
  expect((await Promise.all(ended)).map(([reason]) => reason)).toEqual(sockets.map(() => "transport close"));
  await Promise.all(refused);
}

describe.each(expressVersions)("Express $version with", (express) => {
  it("memorystore: sessions are shared, and end their sockets", async () => {
    const memorystore =
      await loadPeer<(module: typeof session) => new (options: object) => session.Store>("memorystore");
    const store = new (memorystore(session))({ checkPeriod: 86_400_000 });
    onTestFinished(() => (store as unknown as { stopInterval(): void }).stopInterval());
    const { url } = await startApp(express, (app, io) => {
      mountSessions(app, io, session({ store, secret: "s", resave: false, saveUninitialized: false }));
    });
    await useSessions(url);
  });

  it("express-session 1.17: sessions are shared, and end their sockets", async () => {
    const oldSession = await loadPeer<typeof session>("express-session-1-17");
    const { url } = await startApp(express, (app, io) => {
      mountSessions(app, io, oldSession({ secret: "s", resave: false, saveUninitialized: false }));
    });
    await useSessions(url);
  });

  it("cookie-parser: cookies are on socket.request, signed ones too", async () => {
    const cookieParser = await loadPeer<(secret: string) => RequestHandler>("cookie-parser");
    const { url } = await startApp(express, (app, io) => {
      app.use(cookieParser("secret"), io.middleware());
      app.get("/cookies", (_req, res) => {
        res.cookie("plain", "a").cookie("signed", "b", { signed: true }).json({});
      });
      telling(io, ({ cookies, signedCookies }) => ({ cookies, signedCookies }));
    });
    const visitor = new Visitor(url);
    await visitor.fetch("/cookies");
    await visitor.everyClientHears("tell", { cookies: { plain: "a" }, signedCookies: { signed: "b" } });
  });

  it("pino-http: a line for each handshake, with its status, and the logger is on socket.request", async () => {
    const pinoHttp = await loadPeer<(options: object, stream: object) => RequestHandler>("pino-http");
    const lines: { msg: string; res?: { statusCode: number } }[] = [];
    const { url } = await startApp(express, (app, io) => {
      app.use(pinoHttp({}, { write: (line: string) => lines.push(JSON.parse(line) as never) }), io.middleware());
      telling(io, (request) => {
        (request["log"] as { info(text: string): void }).info("told");
        return request["id"];
      });
    });
    const visitor = new Visitor(url);
    for (const [index, kind] of clientKinds.entries()) {
      const socket = await visitor.connect(kind);
      expect(await socket.emitWithAck("tell")).toBe(index + 1);
    }
    expect(lines.filter(({ msg }) => msg === "told")).toHaveLength(4);
    const completed = lines.filter(({ msg }) => msg === "request completed").map(({ res }) => res?.statusCode);
    expect(completed.toSorted()).toEqual([101, 101, 200, 200]);
    expect(lines).toHaveLength(8);
  });

  it("csrf-sync and csrf-csrf: forms are protected, and polling clients post what they like", async () => {
    const { csrfSync } = await loadPeer<{ csrfSync(): Csrf }>("csrf-sync");
    const { doubleCsrf } = await loadPeer<{ doubleCsrf(options: object): Csrf }>("csrf-csrf");
    const cookieParser = await loadPeer<(secret: string) => RequestHandler>("cookie-parser");
    const synchronised = csrfSync();
    const double = doubleCsrf({
      getSecret: () => "secret",
      getSessionIdentifier: (req: Request) => req.sessionID,
      cookieName: "csrf",
      cookieOptions: { secure: false },
      getCsrfTokenFromRequest: (req: Request) => req.headers["x-double-token"],
    });
    const { url } = await startApp(express, (app, io) => {
      app.use(session({ secret: "s", resave: false, saveUninitialized: true }), cookieParser("secret"));
      app.use(synchronised.csrfSynchronisedProtection!, double.doubleCsrfProtection!);
      app.use(io.middleware());
      app.get("/tokens", (req, res) => {
        res.json([synchronised.generateToken!(req), double.generateCsrfToken!(req, res)]);
      });
      app.post("/form", (_req, res) => void res.json({ done: true }));
      telling(io, () => "here");
    });
    const visitor = new Visitor(url);
    const [first, second] = (await (await visitor.fetch("/tokens")).json()) as [string, string];
    expect((await visitor.post("/form")).status).toBe(403);
    expect((await visitor.post("/form", { headers: { "x-csrf-token": first } })).status).toBe(403);
    const both = { "x-csrf-token": first, "x-double-token": second };
    expect((await visitor.post("/form", { headers: both })).status).toBe(200);
    await visitor.everyClientHears("tell", "here");
  });

  it("rate-limiter-flexible: a middleware of its own recipe refuses handshakes", async () => {
    const limiter = new RateLimiterMemory({ points: 4, duration: 60 });
    const { url } = await startApp(express, (app, io) => {
      app.use((req, res, next) => {
        limiter.consume(req.ip ?? "").then(
          () => next(),
          () => res.sendStatus(429),
        );
      });
      app.use(io.middleware());
      telling(io, () => "here");
    });
    const visitor = new Visitor(url);
    await visitor.everyClientHears("tell", "here");
    await visitor.everyClientIsRefused(429);
  });

  it("stoppable: its stop ends idle connections and those of Socket.IO", async () => {
    const stoppable = await loadPeer<(server: HttpServer, graceMs: number) => Stoppable>("stoppable");
    const { app, io, url, server } = await startOwn(express, (served) => stoppable(served, 50));
    app.get("/", (_req, res) => void res.send("idle soon"));
    await (await fetch(url)).text();
    const visitor = new Visitor(url);
    const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind, { reconnection: false })));
    const lost = sockets.map((socket) => nextEvent(socket, "disconnect"));
    const stopped = new Promise<void>((resolve, reject) => {
      (server as Stoppable).stop((error) => (error ? reject(error) : resolve()));
    });
    await Promise.all([...lost, stopped]);
    expect(server.listening).toBe(false);
    await io.shutdown();
  });

  it("stoppable: io.shutdown before its stop lets everything end without its grace", async () => {
    const stoppable = await loadPeer<(server: HttpServer) => Stoppable>("stoppable");
    const { io, url, server } = await startOwn(express, (served) => stoppable(served));
    const visitor = new Visitor(url);
    const sockets = await Promise.all(clientKinds.map((kind) => visitor.connect(kind, { reconnection: false })));
    const lost = sockets.map((socket) => nextEvent(socket, "disconnect"));
    await io.shutdown();
    await Promise.all(lost);
    await new Promise<void>((resolve, reject) => {
      (server as Stoppable).stop((error, isGraceful) => {
        if (error || isGraceful !== true) reject(error ?? new Error("cut"));
        else resolve();
      });
    });
  });

  it.each(["before", "behind"])("the middlewares and the HMR of Vite on one server, mounted %s", async (place) => {
    const vite = await loadVite();
    const folder = await temporaryFolder();
    await writeFile(join(folder, "main.js"), "export const answer = 42;");
    const app = (await express.load())();
    const io = socketio(app);
    const server = createServer(app);
    const dev = await vite.createServer({
      configFile: false,
      root: folder,
      cacheDir: join(folder, ".vite"),
      logLevel: "silent",
      appType: "custom",
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, hmr: { server }, watch: null },
    });
    onTestFinished(() => dev.close());
    if (place === "before") app.use(dev.middlewares, io.middleware());
    else app.use(io.middleware(), dev.middlewares);
    io.attach(server);
    telling(io, () => "here");
    const url = await listening(server, io);
    expect(await (await fetch(`${url}/main.js`)).text()).toContain("answer = 42");
    const hmr = new WebSocket(`${url.replace("http", "ws")}/?token=${dev.config.webSocketToken}`, "vite-hmr");
    onTestFinished(() => hmr.terminate());
    const [greeting] = await nextEvent<[Buffer]>(hmr, "message");
    expect(JSON.parse(greeting.toString())).toEqual({ type: "connected" });
    await new Visitor(url).everyClientHears("tell", "here");
    const update = nextEvent<[Buffer]>(hmr, "message");
    dev.ws.send({ type: "full-reload" });
    expect(JSON.parse((await update)[0].toString())).toEqual({ type: "full-reload" });
  });
});

describe.each([
  ["4.20.0", "express-4-20"],
  ["5.0.0", "express-5-0"],
])("Express %s, the oldest of its line", (version, name) => {
  const express = { version, load: () => loadPeer<never>(name) };

  it("shares sessions, which end their sockets", async () => {
    const { url } = await startApp(express, (app, io) => {
      mountSessions(app, io, session({ secret: "s", resave: false, saveUninitialized: false }));
    });
    await useSessions(url);
  });
});

interface Csrf {
  readonly csrfSynchronisedProtection?: RequestHandler;
  readonly doubleCsrfProtection?: RequestHandler;
  generateToken?(req: Request): string;
  generateCsrfToken?(req: Request, res: unknown): string;
}

interface Stoppable extends HttpServer {
  stop(done: (error?: Error, isGraceful?: boolean) => void): void;
}

interface ViteServer {
  readonly middlewares: RequestHandler;
  readonly config: { readonly webSocketToken: string };
  readonly ws: { send(payload: object): void };
  close(): Promise<void>;
}

/** An application on a server of its own. */
async function startOwn(
  { load }: (typeof expressVersions)[number],
  wrap: (server: HttpServer) => HttpServer,
): Promise<StartedApp> {
  const app = (await load())();
  const server = wrap(createServer(app));
  const io = socketio(app, { server });
  app.use(io.middleware());
  return { app, io, server, url: await listening(server, io) };
}

async function listening(server: HttpServer, io: ExpressServer): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await io.close();
  });
  return urlOf(server);
}

async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "plugboard-express-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The one that Vitest is made with. */
async function loadVite(): Promise<{ createServer(config: object): Promise<ViteServer> }> {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  return (await import(pathToFileURL(resolve("vite")).href)) as never;
}
