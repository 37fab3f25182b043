import { ServerResponse, type IncomingMessage, type Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isSameOrigin, nodeRequest, type Engine, type HeaderFields } from "@plugboard/server";
import type { Express, Request, RequestHandler, Response } from "express";
import type { SharedSessions } from "./sessions.js";
import { takeUpgrades } from "./upgrade-front.js";
import type { Warn } from "./warn-once.js";

export interface MountOptions {
  readonly runOn: "handshake" | "all";
  readonly sessions: SharedSessions | undefined;
  readonly warn: Warn;
  /** Answers requests for the files of the browser client. */
  readonly serveFile: (req: IncomingMessage, res: ServerResponse) => void;
}

type Handle = (req: IncomingMessage, res: ServerResponse, next?: unknown) => void;

/** An upgrade on its way through the chain. */
interface PendingUpgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Takes the listeners off the socket that are there for the application's answer. */
  readonly letGo: () => void;
  /** How its response ends for those who keep something until then, before the middlewares replace it: they save sessions. */
  end: ServerResponse["end"] | undefined;
}

/** What is there for an HTTP server, besides what that knows itself. */
interface ServedApart {
  readonly leave: () => void;
  /** Upgrades that are nobody's, which the application answers: the server has let go of them. */
  readonly sockets: Set<Duplex>;
  /** Upgrades that were left to others, with how much had been written to each by then. */
  readonly left: Map<Duplex, number>;
}

/** Fields of an answer that are about its body, its connection or its one recipient: no other answer may have them. */
const OWN_FIELDS =
  /^(connection|content-(?!security-policy).*|date|etag|keep-alive|last-modified|transfer-encoding|upgrade|retry-after|x-ratelimit-.*|ratelimit.*)$/;
/** A gate that takes longer is taken for one that has forgotten to answer. */
const GATE_PENDING_MS = 10_000;
/** By its path: what looks like a file in the query is none. */
const CLIENT_FILE = /^[^?]*\/socket\.io\.[a-z.]+(?:\?|$)/;

/** Brings requests and upgrades of Socket.IO through the middlewares of an application to an engine. */
export class Mount {
  readonly #app: Express;
  readonly #engine: Engine;
  readonly #options: MountOptions;
  readonly #handle: Handle;
  readonly #upgrades = new Map<IncomingMessage, PendingUpgrade>();
  /** Of requests that have passed the end of the chain, which they do once. */
  readonly #accepted = new WeakSet<IncomingMessage>();
  /** Of handshakes that have reached the end of the chain. */
  readonly #responses = new WeakMap<IncomingMessage, ServerResponse>();
  /** Fields that middlewares have set at the handshake, by session of the engine. */
  readonly #fields = new WeakMap<object, HeaderFields>();
  readonly #servers = new Map<HttpServer, ServedApart>();
  /** Handshakes that came to the end of the chain, whatever the gate said then. */
  readonly #reached = new WeakSet<IncomingMessage>();
  #isClosing = false;
  #isOver = false;

  constructor(app: Express, engine: Engine, options: MountOptions) {
    this.#app = app;
    this.#engine = engine;
    this.#options = options;
    const handled = app as unknown as { handle: Handle };
    this.#handle = handled.handle.bind(app);
    // The one way into an application, whatever serves it.
    handled.handle = (req, res, next) => this.#onRequest(req, res, next);
    engine.opts.checkOrigin ??= this.#isAllowedOrigin;
    engine.on("connection", (session: { request: IncomingMessage }) => {
      const res = this.#responses.get(session.request);
      if (res !== undefined) this.#fields.set(session, fieldsOf(res, false));
    });
  }

  /** Whether it has been closed, which is for good. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get servers(): readonly HttpServer[] {
    return [...this.#servers.keys()];
  }

  /** Takes the upgrades of an HTTP server that serves the application. */
  attach(server: HttpServer): void {
    if (this.#servers.has(server) || this.#isOver) return;
    const sockets = new Set<Duplex>();
    const left = new Map<Duplex, number>();
    const leave = takeUpgrades(
      server,
      (req, socket, head) => this.#takeUpgrade(req, socket, head),
      (req, socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        this.#answerUpgrade(req, socket);
        // Nobody reads what still comes, and behind it the end would not be noticed.
        socket.resume();
      },
      (socket) => {
        left.set(socket, bytesWrittenTo(socket));
        socket.once("close", () => left.delete(socket));
      },
    );
    this.#servers.set(server, { leave, sockets, left });
  }

  /** From now on handshakes are refused; open connections go on. */
  startClosing(): void {
    this.#isClosing = true;
  }

  /** Cuts the upgrades that are not answered yet, by the application or by anybody, as `closeAllConnections` cuts requests. */
  cutAnswers(server: HttpServer): void {
    const { sockets = [], left = [] } = this.#servers.get(server) ?? {};
    for (const socket of sockets) socket.destroy();
    for (const [socket, before] of left) if (bytesWrittenTo(socket) === before) socket.destroy();
  }

  /** Until it closes: tests may have a server for each request, and there would be no end of them. */
  #attachUnannounced(server: HttpServer): void {
    if (this.#servers.has(server) || this.#isOver) return;
    this.attach(server);
    server.once("close", () => {
      this.#servers.get(server)?.leave();
      this.#servers.delete(server);
    });
  }

  /** Leaves the HTTP servers, and ends what is still undecided. */
  close(): void {
    this.#isClosing = true;
    this.#isOver = true;
    for (const { socket } of this.#upgrades.values()) socket.destroy();
    for (const { leave } of this.#servers.values()) leave();
  }

  /** The end of the chain for what belongs to Socket.IO. */
  middleware(gate: RequestHandler | undefined): RequestHandler {
    const { serveFile, runOn, sessions, warn } = this.#options;
    return (req, res, next) => {
      if (!this.matches(req)) {
        if (req.baseUrl !== "" && this.#engine.matches(req.url)) {
          const path = req.baseUrl + req.url.replace(/\/?(\?.*)?$/, "");
          warn(
            "SIO_EXPRESS_PATH",
            `io.middleware() is mounted at "${req.baseUrl}", which has to be part of the path: socketio(app, { path: "${path}" }).`,
          );
        }
        return next();
      }
      this.#reached.add(req);
      if (this.#refusesNow(req)) return refuseClosing(res);
      // A mount at a path has taken that off the URL.
      req.url = req.originalUrl;
      if (CLIENT_FILE.test(req.url)) return serveFile(req, res);
      const accept = (): void => {
        // A second `next` lets nobody in a second time.
        if (this.#accepted.has(req)) return;
        this.#accepted.add(req);
        this.#warnOfChain(req, res);
        // Whoever has answered has refused, although he went on; whoever has gone waits for no answer.
        if (res.headersSent || res.destroyed || req.socket.destroyed) return void (res.writableEnded || res.end());
        if (this.#refusesNow(req)) return refuseClosing(res);
        if (isHandshake(req)) this.#responses.set(req, res);
        if (sessions === undefined) this.#accept(req, res);
        else sessions.leave(req, res, () => this.#accept(req, res));
      };
      if (gate === undefined || (runOn === "handshake" && !isHandshake(req))) return accept();
      const pending = setTimeout(() => {
        warn(
          "SIO_EXPRESS_GATE_PENDING",
          `A gate has not decided about a handshake for ${GATE_PENDING_MS / 1000} seconds: it has to call next() or to answer.`,
        );
      }, GATE_PENDING_MS);
      pending.unref();
      res.once("close", () => clearTimeout(pending));
      const decide = (error?: unknown): void => {
        clearTimeout(pending);
        if (error) next(error);
        else accept();
      };
      // Express 4 does not look at what a middleware returns.
      void (async () => gate(req, res, decide))().catch(next);
    };
  }

  #refusesNow(req: IncomingMessage): boolean {
    return this.#isOver || (this.#isClosing && isHandshake(req));
  }

  /** Whether a page of this origin is ours, or may read answers with cookies by the header fields that `cors()` has set. */
  readonly #isAllowedOrigin = (origin: string, req: IncomingMessage): boolean => {
    if (isSameOrigin(nodeRequest(req), origin)) return true;
    // What `trust proxy` lets a proxy say.
    const { protocol } = req as Request;
    if (origin === `${protocol}://${hostOf(req as Request)}`) return true;
    const res = this.#responses.get(req);
    const allowed = res?.getHeader("access-control-allow-origin");
    if (allowed === origin && res?.getHeader("access-control-allow-credentials") === "true") return true;
    if (allowed === origin || allowed === "*") {
      this.#options.warn(
        "SIO_EXPRESS_CORS",
        `A handshake of a page at ${origin} was refused, though cors() lets pages of that origin read answers: sockets have cookies, so it has to be cors({ origin: "${origin}", credentials: true }), or the option checkOrigin.`,
      );
    }
    return false;
  };

  matches(req: IncomingMessage): boolean {
    const { originalUrl, url = "" } = req as Partial<Request>;
    return this.#engine.matches(originalUrl ?? url);
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, next: unknown): void {
    const { server } = req.socket as { server?: HttpServer };
    const isOurs = !this.#isOver && this.matches(req);
    if (typeof server?.on === "function") {
      if (isOurs && !this.#servers.has(server) && /[?&]transport=websocket/.test(req.url ?? "")) {
        this.#options.warn(
          "SIO_EXPRESS_NOT_ATTACHED",
          "An upgrade was lost, for its HTTP server was not known yet: call io.attach(server) for one that is not made by app.listen, and socketio(app) before app.listen.",
        );
      }
      this.#attachUnannounced(server);
    }
    if (isOurs) {
      const fields = this.#upgrades.has(req) ? undefined : this.#bypassing(req);
      if (fields !== undefined) {
        for (const [name, value] of Object.entries(fields)) res.setHeader(name, value);
        return this.#engine.handleRequest(req, res);
      }
      if (isHandshake(req)) res.once("finish", () => this.#warnIfLost(req, res));
    }
    const { sessions } = this.#options;
    const enter = (): void => {
      const upgrade = this.#upgrades.get(req);
      if (upgrade !== undefined) upgrade.end = res.end;
      this.#handle(req, res, next);
    };
    if (sessions === undefined) enter();
    else sessions.enter(req, res, enter);
  }

  /** Fields for a request that need not travel the chain: it belongs to a connection that is open. */
  #bypassing(req: IncomingMessage): HeaderFields | undefined {
    if (this.#options.runOn === "all" || req.method === "OPTIONS") return undefined;
    const sid = sessionIdOf(req);
    return sid === undefined || !Object.hasOwn(this.#engine.clients, sid)
      ? undefined
      : this.#fields.get(this.#engine.clients[sid] as object);
  }

  #warnIfLost(req: IncomingMessage, res: ServerResponse): void {
    // Others may be refusals by what guards the application.
    if ((res.statusCode !== 404 && res.statusCode !== 200) || this.#reached.has(req)) return;
    this.#options.warn(
      "SIO_EXPRESS_NO_MIDDLEWARE",
      `A handshake of Socket.IO was answered with ${res.statusCode} before it came to io.middleware(): call app.use(io.middleware()) behind the session and before routes that answer everything.`,
    );
  }

  #warnOfChain(req: IncomingMessage, res: ServerResponse): void {
    if (this.#engine.opts.cors !== undefined && res.hasHeader("access-control-allow-origin")) {
      this.#options.warn(
        "SIO_EXPRESS_CORS_TWICE",
        "The option cors is given, and cors() is in the chain too: leave the option out, for it overrides cors().",
      );
    }
    if (req.method === "POST" && req.readableEnded) {
      this.#options.warn(
        "SIO_EXPRESS_BODY_READ",
        'A body parser has read what a client of Socket.IO sent: with runOn: "all" it has to stand behind io.middleware().',
      );
    }
  }

  // Upgrades.

  #takeUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!this.matches(req)) return false;
    const fields = this.#bypassing(req);
    if (fields !== undefined) {
      this.#engine.handleUpgrade(req, socket, head, { headers: fields });
      return true;
    }
    const letGo = this.#answerUpgrade(req, socket, () => this.#upgrades.delete(req));
    this.#upgrades.set(req, { socket, head, letGo, end: undefined });
    socket.once("close", () => this.#upgrades.delete(req));
    return true;
  }

  /**
   * Has the application answer on the raw socket, which ends with the answer. Node has let go of that: what it does for the
   * sockets of requests is done here.
   *
   * @param isRefused - asked when there is an answer; false: the socket has become a connection
   * @returns to be called when the socket becomes a connection
   */
  #answerUpgrade(req: IncomingMessage, socket: Duplex, isRefused: () => boolean = () => true): () => void {
    const res = new ServerResponse(req);
    const cut = (): void => void socket.destroy();
    const drain = (): void => void res.emit("drain");
    const close = (): void => void req.destroy();
    // A client that has ended its half has gone away.
    socket.on("error", cut).on("end", cut).on("drain", drain).on("close", close);
    // Of a middleware that writes when there is an answer already.
    res.on("error", () => {});
    res.shouldKeepAlive = false;
    res.assignSocket(socket as never);
    res.once("finish", () => {
      if (!isRefused()) return;
      res.detachSocket(socket as never);
      // As Node does for requests, behind all that wait for the end.
      process.nextTick(() => res.emit("close"));
      // A peer that keeps its half open would hold the server open too.
      socket.end(cut);
    });
    // What has to be known of it has to be before the application decides.
    process.nextTick(() => !socket.destroyed && this.#app(req as Request, res as never));
    return () => void socket.off("error", cut).off("end", cut).off("drain", drain).off("close", close);
  }

  #accept(req: IncomingMessage, res: ServerResponse): void {
    const upgrade = this.#upgrades.get(req);
    if (upgrade === undefined) return this.#engine.handleRequest(req, res);
    const { socket, head, letGo, end = res.end } = upgrade;
    // Session middlewares and loggers wait for this, and replace it then; Node's own would write a text that nobody reads. When
    // one of them fails, the error is still to be answered.
    if (Object.hasOwn(res, "writeHead")) res.writeHead(101);
    else res.statusCode = 101;
    this.#upgrades.delete(req);
    res.detachSocket(socket as never);
    letGo();
    this.#engine.handleUpgrade(req, socket, head, { headers: fieldsOf(res, true) });
    // For logs and turns: there is no other answer than this.
    Reflect.apply(end, res, []);
    res.emit("finish");
    res.emit("close");
    req.emit("close");
  }
}

function bytesWrittenTo(socket: Duplex): number {
  return (socket as Partial<Socket>).bytesWritten ?? 0;
}

function refuseClosing(res: Response): void {
  res.status(503).send("Server is closing");
}

/** @param withCookies - whether those are wanted too, which are for one answer alone */
function fieldsOf(res: ServerResponse, withCookies: boolean): HeaderFields {
  const fields: HeaderFields = {};
  for (const [name, value] of Object.entries(res.getHeaders())) {
    if (value === undefined || OWN_FIELDS.test(name) || (name === "set-cookie" && !withCookies)) continue;
    fields[name] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return fields;
}

/** `req.host` of Express 5 has the port, that of Express 4 has not. */
function hostOf(req: Request): string | undefined {
  const trust = req.app?.get("trust proxy fn") as ((address: string | undefined, hop: number) => boolean) | undefined;
  const forwarded = trust?.(req.socket.remoteAddress, 0) === true ? req.headers["x-forwarded-host"] : undefined;
  const host = typeof forwarded === "string" ? forwarded.split(",")[0]?.trim() : undefined;
  return host ?? req.headers.host;
}

/** Whether a request of Socket.IO begins a connection. */
export function isHandshake(req: IncomingMessage): boolean {
  return req.method === "GET" && sessionIdOf(req) === undefined && !CLIENT_FILE.test(req.url ?? "");
}

/** As the engine reads it: what is a handshake there and none here would pass by the gate. */
function sessionIdOf(req: IncomingMessage): string | undefined {
  return nodeRequest(req).query["sid"] || undefined;
}
