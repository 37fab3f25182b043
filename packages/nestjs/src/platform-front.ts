import { ServerResponse, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { nodeRequest, type Server } from "@plugboard/server";
import { HandshakeFields, inheritableFields } from "./handshake-fields.js";

type Next = (error?: unknown) => void;
type Route = (req: IncomingMessage, res: ServerResponse) => void;

/** What stands around the requests of an application, so that they take turns with sockets. */
export interface RequestTurns {
  /** Of Express, before any middleware. */
  enter(req: IncomingMessage, res: ServerResponse, goOn: Next): void;
  /** Of Fastify, in `onRequest`. */
  enterFastify(request: FastifyRequestLike, reply: FastifyReplyLike, goOn: Next): void;
  /** Hands a handshake on that has passed the platform. */
  leave(req: IncomingMessage, res: ServerResponse, goOn: () => void): void;
}

/** What we use of an Express application. */
interface ExpressLike extends Route {
  (req: IncomingMessage, res: ServerResponse): void;
  use(
    path: string,
    handler: (req: IncomingMessage & { originalUrl: string }, res: ServerResponse, next: Next) => void,
  ): unknown;
  /** The one way into an application, whatever serves it. */
  handle(req: IncomingMessage, res: ServerResponse, next?: Next): void;
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

interface FastifyReplyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
  code(status: number): FastifyReplyLike;
  send(): unknown;
  callNotFound(): unknown;
  getHeaders(): Record<string, number | string | string[] | undefined>;
}

interface RouterOptions {
  readonly ignoreTrailingSlash?: boolean;
}

/** What we use of a Fastify application. */
interface FastifyLike {
  routing: Route;
  readonly initialConfig: RouterOptions & { readonly routerOptions?: RouterOptions };
  register(plugin: (scope: FastifyLike) => Promise<void>): unknown;
  addHook(name: "onRequest", hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: Next) => void): unknown;
  removeAllContentTypeParsers(): void;
  addContentTypeParser(type: string, parser: (request: unknown, payload: unknown, done: Next) => void): unknown;
  route(options: object): unknown;
}

/** A platform of Nest: its name and application. */
export interface Platform {
  getType(): string;
  getInstance(): unknown;
  /** By this way Nest adds the middlewares of `configure(consumer)`: when gateways are there, and before the routes. */
  createMiddlewareFactory?(method: never): AddMiddleware | Promise<AddMiddleware>;
}

type AddMiddleware = (path: string, middleware: never) => unknown;

/** Status of an answer of Fastify that is not sent: all hooks have let the handshake pass. */
const PASSED = 200;

const requests = new WeakMap<IncomingMessage, object>();

/** The request as the platform knows it, with what its hooks have put there: that of Fastify, or the one of Node. */
export function platformRequest(request: IncomingMessage): object {
  return requests.get(request) ?? request;
}

/** Requests that are on their way through the platform, with what is to happen when they are through. */
const underway = new WeakMap<IncomingMessage, (res: ServerResponse) => void>();
const passed = new WeakSet<IncomingMessage>();

/**
 * Makes the handshakes of a server pass through the middlewares or hooks of the platform before the engine sees them, over polling
 * and websocket alike, and what browsers ask before. Later requests of a connection do not: their answers get the same header fields.
 *
 * @param path - of the server
 * @param turns - that requests of the application take with sockets; undefined: none
 * @param onPassed - called before the engine sees a handshake, with the answer that has the header fields of the platform
 */
export function passThroughPlatform(
  io: Server,
  platform: Platform,
  path: string,
  turns: RequestTurns | undefined,
  onPassed: (req: IncomingMessage, res: ServerResponse) => void,
): void {
  const fields = new HandshakeFields(io.engine);
  const pass = (req: IncomingMessage, res: ServerResponse, goOn: () => void): void => {
    fields.keep(req, res);
    onPassed(req, res);
    if (turns === undefined) goOn();
    else turns.leave(req, res, goOn);
  };
  const route = routeOf(io, platform, path, turns, pass);
  if (route === undefined) return;
  io.engine.use((req: IncomingMessage & { _query?: Record<string, string> }, res: ServerResponse, next: Next) => {
    if (passed.has(req)) return next();
    // An empty one counts as none for the engine too.
    const sid = req._query?.["sid"] || undefined;
    if (req.method !== "OPTIONS" && (req.method !== "GET" || sid !== undefined)) {
      if (sid !== undefined) fields.give(sid, res);
      return next();
    }
    passed.add(req);
    const cors = io.engine.opts.cors === undefined ? undefined : corsFields(res);
    const proceed = (): void => {
      if (cors !== undefined) restoreCors(res, cors);
      pass(req, res, next);
    };
    if (res instanceof ServerResponse) {
      underway.set(req, proceed);
      route(req, res);
    } else {
      passUpgrade(req, res, proceed, route);
    }
  });
}

function routeOf(
  io: Server,
  platform: Platform,
  path: string,
  turns: RequestTurns | undefined,
  pass: (req: IncomingMessage, res: ServerResponse, goOn: () => void) => void,
): Route | undefined {
  const app = platform.getInstance();
  if (platform.getType() === "express") {
    const express = app as ExpressLike;
    let last = 0;
    const takeHere = (): void => {
      const place = ++last;
      express.use(path, (req, res, next) => {
        if (place < last || !underway.has(req)) return next();
        // A mount at a path has taken that off the URL, which is what sockets show of their request.
        req.url = req.originalUrl;
        takeUnderway(req, res);
      });
    };
    // Behind the last middleware, but before routes: there may be one for whatever is not found elsewhere.
    takeHere();
    onMiddlewareAdded(platform, takeHere);
    if (turns !== undefined) {
      const handle = express.handle.bind(express);
      express.handle = (req, res, next) => turns.enter(req, res, () => handle(req, res, next));
    }
    return (req, res) => express(req, res);
  }
  if (platform.getType() !== "fastify") return undefined;
  const fastify = app as FastifyLike;
  const proceed = (raw: IncomingMessage, res: ServerResponse): void => {
    if (takeUnderway(raw, res)) return;
    // Fastify's second server, at the other loopback address of `localhost`, knows nothing of the engine.
    passed.add(raw);
    pass(raw, res, () => io.engine.handleRequest(raw, res));
  };
  const handler = (request: FastifyRequestLike, reply: FastifyReplyLike): unknown => {
    const { raw } = request;
    // It has closed, and what it lets in now nobody would close.
    if (io.engine.httpServer === undefined) return reply.callNotFound();
    requests.set(raw, request);
    if (raw.method === "GET" && !nodeRequest(raw).query["sid"]) {
      // With the hooks of `onSend`: sessions are saved there, and set their cookies.
      inPlaceOfAnswer(reply.raw, () => proceed(raw, reply.raw));
      reply.code(PASSED).send();
      return undefined;
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    proceed(raw, reply.raw);
    return undefined;
  };
  if (turns !== undefined) {
    const takeTurns = async (scope: FastifyLike): Promise<void> => {
      scope.addHook("onRequest", (request, reply, done) => turns.enterFastify(request, reply, done));
    };
    // In the scope of the application, behind the plugin of the sessions: as `fastify-plugin` has it.
    void fastify.register(Object.assign(takeTurns, { [Symbol.for("skip-override")]: true }));
  }
  void fastify.register(async (scope) => {
    // The engine reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => (done as (...args: unknown[]) => void)(null, payload));
    const { ignoreTrailingSlash } = { ...fastify.initialConfig, ...fastify.initialConfig.routerOptions };
    for (const url of ignoreTrailingSlash ? [path] : [path, `${path}/`]) {
      scope.route({ method: ["GET", "POST", "OPTIONS"], url, exposeHeadRoute: false, schema: { hide: true }, handler });
    }
  });
  return (req, res) => fastify.routing(req, res);
}

/** Those of Fastify come before all routes anyhow. */
function onMiddlewareAdded(platform: Platform, listener: () => void): void {
  const original = platform.createMiddlewareFactory;
  if (original === undefined) return;
  platform.createMiddlewareFactory = async (method) => {
    const add = await original.call(platform, method);
    return (path, middleware) => {
      add(path, middleware);
      listener();
    };
  };
}

/** Goes on where Fastify would write its answer, with the header fields of that; what hooks answer instead is written. */
function inPlaceOfAnswer(res: ServerResponse, goOn: () => void): void {
  const { writeHead, end } = res;
  const restore = (): void => void Object.assign(res, { writeHead, end });
  res.writeHead = ((status: number, given: OutgoingHttpHeaders = {}) => {
    if (status !== PASSED) {
      restore();
      return writeHead.call(res, status, given);
    }
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && name !== "content-length") res.setHeader(name, value);
    }
    return res;
  }) as typeof writeHead;
  res.end = (() => {
    restore();
    goOn();
    return res;
  }) as typeof end;
}

const CORS_FIELD = /^access-control-/;

function corsFields(res: ServerResponse): [string, number | string | readonly string[]][] {
  return Object.entries(res.getHeaders()).flatMap(([name, value]) =>
    CORS_FIELD.test(name) && value !== undefined ? [[name, value]] : [],
  );
}

/** What the server says about other origins is about sockets; what `app.enableCors` says, about all else too. */
function restoreCors(res: ServerResponse, cors: ReturnType<typeof corsFields>): void {
  for (const name of res.getHeaderNames()) if (CORS_FIELD.test(name)) res.removeHeader(name);
  for (const [name, value] of cors) res.setHeader(name, value);
  const vary = res.getHeader("vary");
  if (!/\borigin\b/i.test(String(vary))) res.appendHeader("vary", "Origin");
}

function takeUnderway(req: IncomingMessage, res: ServerResponse): boolean {
  const proceed = underway.get(req);
  if (proceed === undefined) return false;
  underway.delete(req);
  // A middleware may answer and go on nevertheless: that is a refusal.
  if (!res.headersSent) proceed(res);
  return true;
}

/** An upgrade has a socket and no response: it gets one, which is written if the platform refuses. */
function passUpgrade(req: IncomingMessage, upgrade: ServerResponse, next: Next, route: Route): void {
  const socket = req.socket as Duplex;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(req.socket);
  // Node has let go of the socket: what it does for those of requests is done here.
  const drain = (): void => void res.emit("drain");
  socket.on("drain", drain);
  // Of a middleware that writes when there is an answer already.
  res.on("error", () => {});
  const endConnection = (): void => {
    if (res.socket !== null) res.detachSocket(req.socket);
    // A peer that keeps its half open would hold the server open too.
    socket.end(() => socket.destroy());
  };
  res.once("finish", endConnection);
  underway.set(req, (answer) => {
    answer.off("finish", endConnection);
    socket.off("drain", drain);
    res.detachSocket(req.socket);
    // Sessions set their cookies as late as that. It is written nowhere.
    answer.writeHead(200);
    for (const [name, value] of inheritableFields(answer.getHeaders())) upgrade.setHeader(name, value);
    next();
    // For logs and hooks that wait for the end: there is no other answer than this.
    answer.emit("finish");
    answer.emit("close");
  });
  route(req, res);
}
