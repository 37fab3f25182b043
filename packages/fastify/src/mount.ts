import {
  validateHeaderName,
  validateHeaderValue,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
import {
  isSameOrigin,
  nodeRequest,
  type Engine,
  type EngineMiddleware,
  type HeaderFields,
  type Server,
} from "@plugboard/server";
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from "fastify";
import { fastifyRequestOf, rememberRequest } from "./handshake-requests.js";
import type { HandshakeRouteOptions } from "./options.js";
import { pathMatcher, type PathRules } from "./path-matcher.js";
import { UpgradeFront, type Claimant } from "./upgrade-front.js";
import { UpgradeReply } from "./upgrade-reply.js";

/** What a mount needs to know. */
export interface MountOptions {
  /** Below the prefix of the scope; without a slash at its end. */
  readonly path: string;
  readonly hooks: "all" | "handshake";
  readonly routeOptions: HandshakeRouteOptions | undefined;
  /** Answers requests for files of the browser client, which are below the path. Default: there are none. */
  readonly serveFile?: (req: IncomingMessage, res: ServerResponse) => void;
}

/** An upgrade that Fastify's hooks are deciding on. */
interface PendingUpgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly res: UpgradeReply;
}

/** Fields of an answer that are about its body, its connection or its one recipient: no other answer may have them. */
const OWN_FIELDS =
  /^(connection|content-.*|date|etag|keep-alive|last-modified|transfer-encoding|upgrade|retry-after|x-ratelimit-.*|ratelimit.*)$/;

/** Marks routes of mounts. Fastify may find them by many spellings of one path. */
const IS_MOUNTED = Symbol("plugboard.fastify.mounted");

/** An open upgrade that is refused while the application closes. */
const CLOSING = { status: 503, headers: { "Content-Type": "text/plain" }, body: "Server is closing" };

/** Puts an engine that is attached to nothing into Fastify's router: polls as routes, upgrades by way of them. */
export class Mount implements Claimant {
  readonly #app: FastifyInstance;
  readonly #engine: Engine;
  readonly #options: MountOptions;
  readonly #matches: (url: string) => boolean;
  /** Fields that hooks have set at the handshake, by session. */
  readonly #fields = new WeakMap<object, HeaderFields>();
  /** Of handshakes, until they have become connections. */
  readonly #replies = new WeakMap<IncomingMessage, FastifyReply>();
  readonly #upgrades = new Map<IncomingMessage, PendingUpgrade>();
  /** Of requests whose hooks may be at work. */
  readonly #undecided = new Set<ServerResponse>();
  readonly #polls = new Set<ServerResponse>();
  readonly #servers = new Map<FastifyInstance["server"], () => void>();
  #isClosing = false;

  /** @param app - scope of its own: what is registered in it does not reach others */
  constructor(app: FastifyInstance, io: Server, options: MountOptions) {
    this.#app = app;
    this.#engine = io.engine;
    this.#options = options;
    this.#matches = pathMatcher(app.prefix + options.path, routerOptionsOf(app));
    this.#addRoutes();
    this.#standBefore(app.server);
    this.#engine.on("connection", (session: { request: IncomingMessage }) => {
      const reply = this.#replies.get(session.request);
      if (reply === undefined) return;
      this.#fields.set(session, ownFields(reply.getHeaders()));
      this.#replies.delete(session.request);
    });
  }

  /** Whether a page of this origin is one of ours, or may read answers with cookies by the header fields that hooks have set. */
  readonly isAllowedOrigin = (origin: string, req: IncomingMessage): boolean => {
    if (isSameOrigin(nodeRequest(req), origin)) return true;
    // A page's own server is asked without an Origin until the page posts: which host that is, a proxy has said at the handshake.
    const handshake = fastifyRequestOf(this.#connectionOf(req)?.request ?? req);
    if (handshake === undefined) return false;
    if (origin === `${handshake.protocol}://${handshake.host}`) return true;
    const reply = this.#replies.get(req);
    if (reply === undefined) return false;
    const allowed = reply.getHeader("access-control-allow-origin");
    return allowed === origin && reply.getHeader("access-control-allow-credentials") === "true";
  };

  /** From now on connections end with their answers, and what is not let in yet is refused. */
  startClosing(): void {
    this.#isClosing = true;
    for (const res of this.#polls) res.shouldKeepAlive = false;
  }

  /** Leaves the HTTP server, and ends what is still undecided. */
  close(): void {
    for (const { socket } of this.#upgrades.values()) socket.destroy();
    this.#upgrades.clear();
    for (const res of this.#undecided) res.destroy();
    for (const leave of this.#servers.values()) leave();
    this.#servers.clear();
  }

  /** Another server may serve the same application: that of the other loopback address of `localhost`. */
  #standBefore(server: FastifyInstance["server"]): void {
    if (this.#servers.has(server)) return;
    this.#servers.set(server, UpgradeFront.add(server, this));
  }

  #addRoutes(): void {
    const app = this.#app;
    // The engine reads bodies itself, up to its own limit.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    const { config, onSend = [], ...routeOptions } = this.#options.routeOptions ?? {};
    const route = (url: string): unknown =>
      app.route({
        ...routeOptions,
        onSend: [onSend, refuseInvalidFields].flat(),
        method: ["GET", "POST", "OPTIONS"],
        url,
        exposeHeadRoute: false,
        // Documentation of HTTP APIs leaves it out.
        schema: { hide: true } as object,
        config: { ...withoutLimitOnPolls(config), [IS_MOUNTED]: true },
        handler: (request, reply) => this.#onRequest(request, reply),
      });
    const { path, serveFile } = this.#options;
    route(path);
    if (serveFile !== undefined) {
      app.get(`${path}/:file(^socket\\.io\\.[a-z.]+$)`, { schema: { hide: true } as object }, (request, reply) => {
        reply.hijack();
        serveFile(request.raw, reply.raw);
      });
    }
    if (!routerOptionsOf(app).ignoreTrailingSlash) route(`${path}/`);
  }

  // Before the router.

  claims({ url = "" }: IncomingMessage): boolean {
    return this.#matches(url);
  }

  takeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fields = this.#bypassing(req);
    if (fields !== undefined) {
      this.#engine.handleUpgrade(req, socket, head, { headers: fields });
    } else if (this.#isClosing) {
      this.#engine.refuseUpgrade(socket, CLOSING);
    } else {
      this.#routeUpgrade(req, socket, head);
    }
  }

  takeRequest(req: IncomingMessage, res: ServerResponse): boolean {
    const { url = "", method } = req;
    if ((method !== "GET" && method !== "POST") || !this.#matches(url)) return false;
    const fields = this.#bypassing(req);
    if (fields === undefined) {
      this.#undecided.add(res);
      res.once("close", () => this.#undecided.delete(res));
      return false;
    }
    for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
    if (this.#isClosing) res.shouldKeepAlive = false;
    this.#engine.handleRequest(req, res);
    return true;
  }

  /** The fields for a request that need not run hooks: it belongs to a connection that is open. */
  #bypassing(req: IncomingMessage): HeaderFields | undefined {
    if (this.#options.hooks === "all") return undefined;
    const connection = this.#connectionOf(req);
    return connection && this.#fields.get(connection);
  }

  #connectionOf(req: IncomingMessage): Engine["clients"][string] | undefined {
    const sid = sessionIdOf(req);
    return sid !== undefined && Object.hasOwn(this.#engine.clients, sid) ? this.#engine.clients[sid] : undefined;
  }

  #routeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const forget = (): void => void this.#upgrades.delete(req);
    const res = new UpgradeReply(req, socket, forget);
    this.#upgrades.set(req, { socket, head, res });
    socket.once("close", forget);
    this.#app.routing(req, res);
  }

  // Behind the hooks.

  async #onRequest(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { raw } = request;
    const { server } = raw.socket as { server?: FastifyInstance["server"] };
    if (server !== undefined && typeof server.emit === "function" && !this.#isClosing) this.#standBefore(server);
    if (isHandshake(raw)) {
      rememberRequest(request);
      this.#replies.set(raw, reply);
    }
    const upgrade = this.#upgrades.get(raw);
    if (upgrade !== undefined) return this.#accept(raw, reply, upgrade);
    return this.#poll(raw, reply);
  }

  /** The 101 passes the hooks of `onSend` before the engine gets the socket. */
  #accept(req: IncomingMessage, reply: FastifyReply, { socket, head, res }: PendingUpgrade): FastifyReply {
    if (this.#isClosing) return refuseForClosing(reply);
    res.onAccept((fields) => {
      this.#upgrades.delete(req);
      reply.hijack();
      if (this.#isClosing) this.#engine.refuseUpgrade(socket, CLOSING);
      else this.#engine.handleUpgrade(req, socket, head, { headers: ownFields(fields, true) });
    });
    return reply.code(101).send();
  }

  async #poll(req: IncomingMessage, reply: FastifyReply): Promise<FastifyReply> {
    const res = reply.raw;
    if (!(await runMiddlewares(this.#engine.middlewares, req, res))) return reply.hijack();
    this.#undecided.delete(res);
    this.#polls.add(res);
    res.once("close", () => this.#polls.delete(res));
    if (this.#isClosing) res.shouldKeepAlive = false;
    // Its hooks may have taken until all others were gone.
    if (this.#isClosing && isHandshake(req)) return refuseForClosing(reply);
    const answer = await this.#engine.handle(nodeRequest(req, res));
    let isDone = false;
    const finish = (error?: Error): void => {
      if (!isDone) answer.done(error);
      isDone = true;
    };
    const onClose = (): void => finish(new Error("the connection was closed"));
    // What a hook has answered instead has none of the packets in it.
    const onFinish = (): void => (res.statusCode === answer.status ? finish() : finish(new Error("a hook has failed")));
    res.once("finish", onFinish).once("close", onClose);
    if (res.destroyed) onClose();
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  }
}

function refuseForClosing(reply: FastifyReply): FastifyReply {
  return reply.code(CLOSING.status).headers(CLOSING.headers).send(CLOSING.body);
}

/** Options of the router, which applications may give in two places. */
function routerOptionsOf({ initialConfig }: FastifyInstance): PathRules & { readonly ignoreTrailingSlash?: boolean } {
  return { ...initialConfig, ...initialConfig.routerOptions };
}

/**
 * The last hook before an answer is written, where Node would throw for a field that cannot be sent: behind a hook with a callback
 * nobody would catch that. Without the field there can be an answer that tells of it.
 */
const refuseInvalidFields: onSendHookHandler = (_request, reply, _payload, done) => {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    try {
      validateHeaderName(name);
      for (const line of [value].flat()) validateHeaderValue(name, line as string);
    } catch (error) {
      reply.removeHeader(name);
      return done(error as Error);
    }
  }
  done();
};

/** @returns whether they have left the answer to others */
function runMiddlewares(
  middlewares: readonly EngineMiddleware[],
  req: IncomingMessage,
  res: ServerResponse,
): Promise<boolean> | boolean {
  if (middlewares.length === 0) return true;
  return (async () => {
    for (const middleware of middlewares) {
      await new Promise<void>((resolve, reject) => {
        res.once("finish", resolve).once("close", resolve);
        const next = (error?: unknown): void => {
          res.off("finish", resolve).off("close", resolve);
          if (error) reject(error as Error);
          else resolve();
        };
        // Nothing may be thrown as well, and must not count as consent.
        const fail = (error: unknown): void => next(error || new Error("middleware failed"));
        void Promise.resolve(middleware(req, res, next)).catch(fail);
      });
      if (res.writableEnded || res.destroyed) return false;
    }
    return true;
  })();
}

/** @param withCookies - whether those are wanted too, which are for one answer alone */
function ownFields(
  given: Readonly<Record<string, OutgoingHttpHeader | undefined>>,
  withCookies: boolean = false,
): HeaderFields {
  const fields: HeaderFields = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || OWN_FIELDS.test(name) || (name === "set-cookie" && !withCookies)) continue;
    fields[name] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return fields;
}

/** A limit of `@fastify/rate-limit` for the route is about connections, not about the requests that each of them makes. */
function withoutLimitOnPolls(config: HandshakeRouteOptions["config"]): object {
  const { rateLimit } = (config ?? {}) as { rateLimit?: unknown };
  if (typeof rateLimit !== "object" || rateLimit === null) return { ...config };
  return { ...config, rateLimit: { allowList: (request: FastifyRequest) => !request.ioHandshake, ...rateLimit } };
}

/** Whether a request that Fastify has found a route for begins a connection. */
export function isSocketHandshake(request: FastifyRequest): boolean {
  const { config } = request.routeOptions as { config?: object };
  return config !== undefined && IS_MOUNTED in config && isHandshake(request.raw);
}

/** Whether a request of Socket.IO begins a connection. */
function isHandshake(req: IncomingMessage): boolean {
  return req.method === "GET" && sessionIdOf(req) === undefined;
}

/** As the engine reads it: what is a handshake there and none here would pass by the hooks. */
function sessionIdOf(req: IncomingMessage): string | undefined {
  return nodeRequest(req).query["sid"] || undefined;
}
