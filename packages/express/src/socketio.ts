import { createServer, Server as HttpServer } from "node:http";
import {
  Server,
  SERVER_OPTION_NAMES,
  unknownOption,
  type DefaultEventsMap,
  type EventsMap,
  type NamespaceMiddleware,
  type ServerOptions,
  type Socket,
} from "@plugboard/server";
import type { Express, RequestHandler } from "express";
import { connectError } from "./connect-error.js";
import { EventRouter } from "./event-router.js";
import { demand, expressError, isOptions } from "./express-error.js";
import { keepingRefusals, type Refusals } from "./gate.js";
import { injectClient, type InjectOptions } from "./inject.js";
import { jwtAuth, type JwtAuth } from "./jwt.js";
import { isHandshake, Mount } from "./mount.js";
import { refreshUser, type PassportLike } from "./passport.js";
import { SharedSessions, type SessionOptions } from "./sessions.js";
import { warnOnce } from "./warn-once.js";
import type { ErrorHandler, ExpressServer, MiddlewareOptions } from "./types.js";
import { userRoom } from "./user-room.js";

/** Options of {@link socketio}: those of the server, and these. */
export interface SocketioOptions extends Partial<ServerOptions> {
  /** The HTTP server, if it is not made by `app.listen`. Default: none; `io.attach(server)` does the same. */
  server?: HttpServer;
  /**
   * How sockets share the sessions of `express-session` or `cookie-session`; false: not at all. Default: `{}`, with whatever
   * session the chain puts on requests.
   */
  session?: SessionOptions | false;
  /** Which requests of a connection travel the chain: its handshake, or polls and the change to WebSocket too. Default: "handshake". */
  runOn?: "handshake" | "all";
  /** For `socket.refreshUser()`. Default: that of `passport.initialize()`, if the chain has it. */
  passport?: PassportLike;
  /** Id of the user that `io.user(id)` speaks to. Default: `request.user.id`. */
  userIdOf?: (request: Express.Request) => string | number | undefined;
}

const OPTIONS: readonly string[] = [
  ...Object.keys({
    server: true,
    session: true,
    runOn: true,
    passport: true,
    userIdOf: true,
  } satisfies Record<Exclude<keyof SocketioOptions, keyof ServerOptions>, true>),
  ...SERVER_OPTION_NAMES,
];

/** How long `close()` without options leaves requests that are still running. */
const RUNNING_REQUESTS_MS = 30_000;
const SWEEP_MS = 100;

/** Applications that have a server. */
const served = new WeakSet<Express>();

/**
 * Makes the Socket.IO server of an application of Express 4 or 5. To be called before `app.listen`; `app.use(io.middleware())` says
 * where in the chain it is.
 *
 * @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION`
 */
export function socketio<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  // oxlint-disable-next-line typescript/no-explicit-any
  SocketData = any,
>(app: Express, options: SocketioOptions = {}): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  return integrate(app, options) as unknown as ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
}

function integrate(app: Express, given: SocketioOptions): Server {
  demand(
    typeof app === "function" && "handle" in app && typeof app.listen === "function",
    "the first argument of socketio has to be an application: express()",
  );
  demand(!served.has(app), "the application has a Socket.IO server already: call socketio(app) once, and use req.io");
  demand(
    isOptions(given),
    "the second argument of socketio are options; an HTTP server is one: socketio(app, { server })",
  );
  const mistake = unknownOption("socketio", given, OPTIONS);
  if (mistake !== undefined) throw expressError("SIO_EXPRESS_INVALID_OPTION", mistake);
  const { server, session = {}, runOn = "handshake", passport, userIdOf = idOfUser, ...options } = given;
  demand(runOn === "handshake" || runOn === "all", 'the option runOn has to be "handshake" or "all"');
  demand(server === undefined || isHttpServer(server), "the option server has to be an HTTP server: createServer(app)");
  demand(typeof userIdOf === "function", "the option userIdOf has to be a function: (request) => request.user?.id");
  demand(
    passport === undefined || typeof passport?.deserializeUser === "function",
    "the option passport has to be what the package passport exports",
  );
  const io = new Server(options);
  // Never listens: requests for files of the client go there. The engine gets what comes through the chain, and nothing from
  // there: that would have passed by the gate.
  const files = new HttpServer((_req, res) => void res.writeHead(404).end());
  io.attach(files);
  io.engine.detach();
  const refusals: Refusals = new WeakMap();
  const warn = warnOnce();
  const sessions = session === false ? undefined : new SharedSessions(io, session, warn);
  served.add(app);
  const mount = new Mount(app, io.engine, {
    runOn,
    sessions,
    warn,
    serveFile: (req, res) => void files.emit("request", req, res),
  });
  io.useAlways((socket, next) => {
    const refusal = refusals.get(socket.request);
    if (refusal !== undefined) return next(connectError(refusal));
    Object.assign(socket, { refreshUser: () => refreshUser(socket, passport) });
    const id = userIdOf(socket.request as unknown as Express.Request);
    if (id !== undefined) void socket.join(userRoom(id));
    next();
  });

  const owned = new Set<HttpServer>();
  const listen = app.listen.bind(app) as (...args: unknown[]) => HttpServer;
  app.listen = ((...args: unknown[]) => {
    const opened = listen(...args);
    owned.add(opened);
    attach(opened);
    return opened;
  }) as Express["listen"];
  const attach = (httpServer: HttpServer): void => {
    demand(
      isHttpServer(httpServer),
      "io.attach takes an HTTP server that serves the application, createServer(app); to listen at a port call app.listen",
    );
    mount.attach(httpServer);
    io.httpServer = httpServer;
  };
  if (server !== undefined) attach(server);
  (app.request as { io?: unknown }).io = io;
  app.response.emitTo = function (room, event, ...args) {
    // Of no room at all; to the server that would mean everybody.
    if (!Array.isArray(room) || room.length > 0) io.to(room).emit(event, ...args);
    return this;
  };

  const use = io.use.bind(io);
  const useError = io.useError.bind(io);
  const close = io.close.bind(io) as (options: object) => Promise<void>;
  /** @returns the error of a server that was not running */
  const end = async (servers: readonly HttpServer[], timeoutMs: number, requestsMs = timeoutMs) => {
    mount.startClosing();
    const closing = servers.map((each) => closed(each, requestsMs, () => mount.cutAnswers(each)));
    await close({ timeoutMs, closeHttpServer: false });
    sessions?.close();
    mount.close();
    return (await Promise.all(closing)).find((error) => error !== undefined);
  };
  let inMemory: HttpServer | undefined;
  return Object.assign(io, {
    use(first: string | EventRouter | JwtAuth | NamespaceMiddleware<Socket>, second?: EventRouter) {
      if (typeof first === "string") {
        demand(
          isInstallable<EventRouter>(second) && typeof second.on === "function",
          "io.use(name, router) takes an EventRouter(); a middleware of a namespace is added by io.of(name).use, a route by app.use, and jwtAuth by io.use without a name",
        );
        second.install(io.of(first));
      } else if (isInstallable(first)) first.install(io);
      else {
        demand(
          typeof first === "function" && (first as unknown) !== EventRouter && (first as unknown) !== jwtAuth,
          "io.use takes (socket, next) => ..., an EventRouter() or jwtAuth({ verify })",
        );
        demand(
          first.length < 3,
          "io.use was given a middleware of Express, (req, res, next) => ...: mount it with app.use, before io.middleware()",
        );
        use(first);
      }
      return io;
    },
    useError(handler: ErrorHandler) {
      demand(typeof handler === "function", "io.useError takes a function: (error, context, next) => ...");
      useError(async (error, context) => {
        let passed: unknown;
        const mapped = await handler(error, context as never, (other) => void (passed = other));
        return passed ?? mapped;
      });
      return io;
    },
    middleware(options: MiddlewareOptions = {}, ...more: unknown[]): RequestHandler {
      demand(more.length === 0, "io.middleware makes a middleware: app.use(io.middleware())");
      demand(
        isOptions(options) && Object.keys(options).every((key) => key === "gate" || key === "refuseBy"),
        "io.middleware takes { gate, refuseBy }: io.middleware({ gate: (req, res, next) => ... })",
      );
      const { gate, refuseBy = "status" } = options;
      demand(gate === undefined || typeof gate === "function", "gate has to be a middleware: (req, res, next) => ...");
      demand(
        refuseBy === "status" || refuseBy === "connect_error",
        'the option refuseBy has to be "status" or "connect_error"',
      );
      return mount.middleware(gate && refuseBy === "connect_error" ? keepingRefusals(gate, refusals) : gate);
    },
    handshakeOnly(middleware: RequestHandler): RequestHandler {
      demand(typeof middleware === "function", "io.handshakeOnly takes a middleware: (req, res, next) => ...");
      // What it returns is for Express 5, which waits for promises that reject.
      return (req, res, next) => (mount.matches(req) && isHandshake(req) ? middleware(req, res, next) : next());
    },
    attach(httpServer: HttpServer) {
      demand(
        !mount.isOver,
        "io.attach comes too late: the server was closed, which is for good; make another application",
      );
      attach(httpServer);
      return io;
    },
    session: (req: Express.Request) => io.to(roomOf(sessions, req)),
    user: (id: string | number) => io.to(userRoom(id)),
    async shutdown({ timeoutMs = 5000 }: { timeoutMs?: number } = {}) {
      demand(timeoutMs >= 0, "the option timeoutMs of io.shutdown has to be a number of milliseconds");
      const running = [...owned].filter((each) => each.listening);
      await end(running, timeoutMs);
    },
    async close(argument?: ((error?: Error) => void) | { timeoutMs?: number; closeHttpServer?: boolean }) {
      const servers = mount.servers.filter((each) => each !== inMemory);
      if (typeof argument === "object") {
        const { timeoutMs = 5000, closeHttpServer = true } = argument;
        await end(closeHttpServer ? servers : [], timeoutMs);
        return;
      }
      // As in the reference, handlers are not awaited, and who calls back is told of a server that was not running.
      const error = await end(servers, 0, RUNNING_REQUESTS_MS);
      argument?.(error);
    },
    inject(namespace: string = "/", injectOptions: InjectOptions = {}) {
      const [httpServer = (inMemory = createServer(app))] = mount.servers;
      attach(httpServer);
      return injectClient(httpServer, io, namespace, injectOptions);
    },
  }) as unknown as Server;
}

/** By its method and not by its class: the builds for ESM and CommonJS have one each. */
function isInstallable<Part extends EventRouter | JwtAuth>(part: unknown): part is Part {
  return typeof (part as Partial<Part> | null | undefined)?.install === "function";
}

/** Of whatever protocol: `node:https` and `node:http2` have classes of their own. */
function isHttpServer(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { on, emit, listen } = value as Partial<HttpServer>;
  return [on, emit, listen].every((each) => typeof each === "function");
}

function idOfUser(request: Express.Request): string | number | undefined {
  const { user } = request as { user?: { id?: unknown } };
  const id = user?.id;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

function roomOf(sessions: SharedSessions | undefined, req: Express.Request): string {
  if (sessions === undefined) throw expressError("SIO_EXPRESS_NO_SESSION", "sessions are not shared: session is false");
  return sessions.roomOf(req as never);
}

/**
 * @param requestsMs - after which requests that are still running are cut
 * @param cutUpgrades - those that the server has let go of, and waits for
 * @returns when the server has closed; the error if it was not running
 */
function closed(server: HttpServer, requestsMs: number, cutUpgrades: () => void): Promise<Error | undefined> {
  const timer = setTimeout(() => {
    server.closeAllConnections();
    cutUpgrades();
  }, requestsMs);
  // A connection that falls idle behind its last answer, as that of a poll, would stay for the time of its keep-alive.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  return new Promise((resolve) => {
    server.close((error) => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve(error);
    });
  });
}
