import { ServerResponse, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Server } from "@plugboard/server";

type Next = (error?: unknown) => void;
type Route = (req: IncomingMessage, res: ServerResponse) => void;

/** What we use of an Express application. */
interface ExpressLike extends Route {
  (req: IncomingMessage, res: ServerResponse): void;
  use(path: string, handler: (req: IncomingMessage, res: ServerResponse, next: Next) => void): unknown;
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}

interface FastifyReplyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
  callNotFound(): unknown;
  getHeaders(): Record<string, number | string | string[] | undefined>;
}

/** What we use of a Fastify application. */
interface FastifyLike {
  routing: Route;
  register(plugin: (scope: FastifyLike) => Promise<void>): unknown;
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

/** Fields of an answer that is not sent: none of the 101 answer. */
const OWN_FIELDS = /^(connection|content-.*|date|etag|keep-alive|transfer-encoding|upgrade)$/;

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
 * and websocket alike. Later requests of a connection do not.
 *
 * @param path - of the server
 * @param onPassed - called before the engine sees a handshake, with the answer that has the header fields of the platform
 */
export function passThroughPlatform(
  io: Server,
  platform: Platform,
  path: string,
  onPassed: (req: IncomingMessage, res: ServerResponse) => void,
): void {
  const route = routeOf(io, platform, path, onPassed);
  if (route === undefined) return;
  io.engine.use((req: IncomingMessage & { _query?: Record<string, string> }, res: ServerResponse, next: Next) => {
    // An empty one counts as none for the engine too.
    if (req.method !== "GET" || req._query?.["sid"] || passed.has(req)) return next();
    passed.add(req);
    const proceed = (): void => {
      onPassed(req, res);
      next();
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
  onPassed: (req: IncomingMessage, res: ServerResponse) => void,
): Route | undefined {
  const app = platform.getInstance();
  if (platform.getType() === "express") {
    const express = app as ExpressLike;
    let last = 0;
    const takeHere = (): void => {
      const place = ++last;
      express.use(path, (req, res, next) => {
        if (place < last || !takeUnderway(req, res)) next();
      });
    };
    // Behind the last middleware, but before routes: there may be one for whatever is not found elsewhere.
    takeHere();
    onMiddlewareAdded(platform, takeHere);
    return (req, res) => express(req, res);
  }
  if (platform.getType() !== "fastify") return undefined;
  const fastify = app as FastifyLike;
  const handler = (request: FastifyRequestLike, reply: FastifyReplyLike): unknown => {
    const { raw } = request;
    // It has closed, and what it lets in now nobody would close.
    if (io.engine.httpServer === undefined) return reply.callNotFound();
    requests.set(raw, request);
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    if (takeUnderway(raw, reply.raw)) return undefined;
    // Fastify's second server, at the other loopback address of `localhost`, knows nothing of the engine.
    passed.add(raw);
    onPassed(raw, reply.raw);
    io.engine.handleRequest(raw, reply.raw);
    return undefined;
  };
  void fastify.register(async (scope) => {
    // The engine reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => (done as (...args: unknown[]) => void)(null, payload));
    for (const url of [path, `${path}/`]) {
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
  res.once("finish", () => {
    if (res.socket !== null) res.detachSocket(req.socket);
    // A peer that keeps its half open would hold the server open too.
    socket.end(() => socket.destroy());
  });
  underway.set(req, (answer) => {
    answer.removeAllListeners("finish");
    socket.off("drain", drain);
    res.detachSocket(req.socket);
    // Sessions set their cookies as late as that. It is written nowhere.
    answer.writeHead(200);
    for (const [name, value] of Object.entries(answer.getHeaders())) {
      if (value !== undefined && !OWN_FIELDS.test(name)) upgrade.setHeader(name, value);
    }
    next();
  });
  route(req, res);
}
