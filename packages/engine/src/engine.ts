import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ENGINE_ERROR_MESSAGES, EngineErrorCode } from "@plugboard/protocol";
import { checkHandshake, checkRequest, checkSession, requestedProtocol } from "./admission.js";
import { ContainedEmitter } from "./contained-emitter.js";
import { createDebug } from "./debug.js";
import { DeadlineQueue } from "./deadline-queue.js";
import { EndOfTurn } from "./end-of-turn.js";
import { HandshakeLimit } from "./handshake-limit.js";
import { handshakeCookie } from "./handshake-cookie.js";
import { plainAnswer, type HeaderFields, type HttpAnswer, type HttpRequestLike } from "./http-port.js";
import { Attachment, type AttachmentTarget } from "./node/attachment.js";
import { runMiddlewareChain } from "./middleware-chain.js";
import { corsMiddleware } from "./node/cors-middleware.js";
import type { EngineMiddleware } from "./node/engine-middleware.js";
import { NodeHttpRequest, withQuery, writeNodeAnswer } from "./node/node-http-request.js";
import { boundRestOfBody } from "./node/rest-of-body.js";
import { validateField } from "./node/header-field.js";
import { answerUpgrade, rejectUpgrade, type UpgradeAnswer } from "./node/upgrade-answer.js";
import { UpgradeResponse } from "./node/upgrade-response.js";
import { createWebSocketAcceptor, type WebSocketAcceptor } from "./node/ws-channel.js";
import { engineUrlPrefix, resolveEngineOptions, type AttachOptions, type EngineOptions } from "./options.js";
import type { ResolvedEngineOptions } from "./options.js";
import { checkOrigin, foreignOrigin, isOfOrigin } from "./origin-rule.js";
import { largeRecord } from "./record.js";
import { middlewareFailure, refusal, refusalAnswer, type Refusal } from "./refusal.js";
import { generateSessionId } from "./session-id.js";
import { EngineSession, type SessionHost } from "./session.js";
import { PollingTransport } from "./transports/polling.js";
import type { QueuedPacket, Transport } from "./transports/transport.js";
import { CLOSE_GRACE_MS, type WebSocketChannel } from "./transports/websocket-channel.js";
import { WebSocketTransport } from "./transports/websocket.js";

const debug = createDebug("engine");

/**
 * The Engine.IO server. Events (spec/server.md 1.13): `connection`, `connection_error`, `initial_headers`, `headers`,
 * `flush`, `drain`.
 */
export class EngineServer extends ContainedEmitter implements SessionHost, AttachmentTarget {
  static override readonly name: string = "Server";
  static readonly errors: typeof EngineErrorCode = EngineErrorCode;
  static readonly errorMessages: typeof ENGINE_ERROR_MESSAGES = ENGINE_ERROR_MESSAGES;
  readonly opts: ResolvedEngineOptions;
  /** Sessions by id. */
  readonly clients: Record<string, EngineSession> = largeRecord();
  clientsCount = 0;
  httpServer: HttpServer | undefined = undefined;
  readonly middlewares: EngineMiddleware[] = [];
  readonly #endOfTurn = new EndOfTurn();
  readonly #handshakeLimit = new HandshakeLimit();
  readonly #pingDue = new DeadlineQueue<EngineSession>((session) => session.sendPing());
  readonly #pongDue = new DeadlineQueue<EngineSession>((session) => session.onPongOverdue());
  readonly #headersOfUpgrade = new WeakMap<IncomingMessage, HeaderFields>();
  /** The first `Origin` of each session, while `checkOrigin` asks for it. */
  readonly #origins = new WeakMap<EngineSession, string>();
  #acceptor: WebSocketAcceptor | undefined = undefined;
  #attachments: Attachment[] = [];

  /** Requests whose fate is not decided yet: middlewares or `allowRequest` are at work. */
  readonly #undecided = new Set<NodeHttpRequest>();
  /** Counts the calls of `close`: a handshake that began before one is not let in after it. */
  #closings = 0;

  constructor(options?: EngineOptions & AttachOptions) {
    const opts = resolveEngineOptions(options);
    super((event, error) => reportListenerError(opts, event, error));
    this.opts = opts;
    if (opts.wsEngine !== undefined && typeof opts.wsEngine !== "function") {
      throw new TypeError("wsEngine has to be a class such as the Server of ws");
    }
    if (opts.allowEIO3) warnNotServed("EIO_PROTOCOL_3_NOT_SERVED", "allowEIO3 is set, but Engine.IO protocol 3");
    if (opts.transports.includes("webtransport")) warnNotServed("EIO_WEBTRANSPORT_NOT_SERVED", "WebTransport");
    if (opts.cors) this.use(corsMiddleware(opts.cors));
  }

  readonly report = (event: string | symbol, error: unknown): void => reportListenerError(this.opts, event, error);

  /** Adds a middleware for every HTTP request and upgrade, before anything else looks at them. */
  use(middleware: EngineMiddleware): this {
    this.middlewares.push(middleware);
    return this;
  }

  /** The id of a new session: 20 chars. May be replaced by assignment; a rejection refuses the handshake. */
  generateId(_request: unknown): string | PromiseLike<string> {
    return generateSessionId();
  }

  // Attaching.

  get acceptsUpgrades(): boolean {
    return this.opts.transports.includes("websocket");
  }

  /** Serves the requests and upgrades of a path of this HTTP server; an engine may serve several. */
  attach(server: HttpServer, options: AttachOptions = this.opts): this {
    const attachment = new Attachment(server, this, options);
    this.#attachments.push(attachment);
    debug("serves %s", attachment.prefix);
    this.httpServer = server;
    return this;
  }

  /** Leaves the HTTP servers, with the listeners they had before; open sessions live on. */
  detach(): this {
    for (const attachment of this.#attachments) attachment.detach();
    this.#attachments = [];
    this.httpServer = undefined;
    return this;
  }

  /** Whether a request URL is for this engine. */
  matches(url: string): boolean {
    if (this.#attachments.length === 0) return url.startsWith(engineUrlPrefix(this.opts));
    return this.#attachments.some((attachment) => url.startsWith(attachment.prefix));
  }

  onServerClose(): void {
    this.close();
  }

  /**
   * Ends every session without waiting for what is queued, drops the handshakes that are not decided yet, and the
   * connections that have not sent a request. The engine can serve again afterwards.
   */
  close(): this {
    debug("closes %d sessions", this.clientsCount);
    this.#closings++;
    for (const session of Object.values(this.clients)) session.close(true);
    for (const request of this.#undecided) request.abort();
    for (const attachment of this.#attachments) attachment.endSilentConnections();
    this.#acceptor?.close();
    this.#acceptor = undefined;
    return this;
  }

  // HTTP requests.

  /** Serves a request of Node's `http`: middlewares first, then {@link EngineServer.handle}. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    const request = new NodeHttpRequest(req, res);
    this.#undecided.add(request);
    res.once("close", () => this.#undecided.delete(request));
    boundRestOfBody(req, res);
    const closings = this.#closings;
    runMiddlewareChain(this.middlewares, [req, res], (error) => {
      if (closings !== this.#closings) return;
      const answer = error ? Promise.resolve(this.#refuse(request, middlewareFailure(error))) : this.handle(request);
      answer
        .then((value) => {
          // The HTTP server is closing too, mostly, and would wait for the client to let go of this connection.
          if (closings !== this.#closings) res.shouldKeepAlive = false;
          writeNodeAnswer(res, value);
        })
        // What middlewares have put around the methods of the response may fail too.
        .catch((fault: unknown) => {
          this.report("request", fault);
          res.destroy();
        });
    });
  }

  /**
   * Answers a polling request. The answer is a value: send it with whatever serves your HTTP, then call its `done`.
   */
  async handle(request: HttpRequestLike): Promise<HttpAnswer> {
    const decision = this.#decideAtOnce(request, false) ?? (await this.#decide(request, false));
    this.#undecided.delete(request as NodeHttpRequest);
    if ("refused" in decision) return this.#refuse(request, decision.refused);
    if ("known" in decision) {
      const { transport } = decision.known;
      return transport instanceof PollingTransport ? transport.handle(request) : plainAnswer(400);
    }
    const transport = new PollingTransport(this.opts, request.query["j"]);
    const session = this.#createSession(decision.id, request, transport);
    const answer = transport.handle(request);
    this.#admit(session);
    return answer;
  }

  /** Everything that needs nobody's answer; undefined for what has to be asked about: handshakes, mostly. */
  #decideAtOnce(request: HttpRequestLike, isUpgrade: boolean): Decision | undefined {
    const wrong = checkRequest(request, this.opts);
    if (wrong !== undefined) return { refused: wrong };
    if (!request.query["sid"]) return undefined;
    const known = checkSession(request, this.clients, isUpgrade);
    if (!(known instanceof EngineSession)) return { refused: known };
    if (!this.opts.checkOrigin) return { known };
    const isAllowed = isOfOrigin(this.#origins.get(known), request);
    if (isAllowed === undefined) return undefined;
    return isAllowed ? { known } : { refused: foreignOrigin(request) };
  }

  async #decide(request: HttpRequestLike, isUpgrade: boolean): Promise<Decision> {
    if (request.query["sid"]) return this.#decideOrigin(request, isUpgrade);
    const closings = this.#closings;
    const refused = await checkHandshake(request, this.opts, this.#handshakeLimit, isUpgrade);
    if (refused !== undefined) return { refused };
    const decision = await this.#newId(request);
    return closings === this.#closings ? decision : { refused: CLOSED };
  }

  /** The first request of a session that says where it comes from. */
  async #decideOrigin(request: HttpRequestLike, isUpgrade: boolean): Promise<Decision> {
    const refused = await checkOrigin(request, this.opts);
    if (refused !== undefined) return { refused };
    const known = checkSession(request, this.clients, isUpgrade);
    if (!(known instanceof EngineSession)) return { refused: known };
    this.#rememberOrigin(known, request);
    return { known };
  }

  #rememberOrigin(session: EngineSession, request: HttpRequestLike): void {
    const origin = this.opts.checkOrigin ? request.header("origin") : undefined;
    if (origin !== undefined) this.#origins.set(session, origin);
  }

  async #newId(request: HttpRequestLike): Promise<Decision> {
    try {
      const id: unknown = await this.generateId(request.raw);
      if (typeof id !== "string" || id === "") throw new TypeError("generateId() must give a string");
      if (Object.hasOwn(this.clients, id)) throw new Error("generateId() gave the id of an open session");
      return { id };
    } catch (error) {
      return { refused: refusal("BAD_REQUEST", { name: "ID_GENERATION_ERROR", error }) };
    }
  }

  #refuse(request: HttpRequestLike, refused: Refusal): HttpAnswer {
    this.#reportRefusal(request, refused);
    return refusalAnswer(refused);
  }

  #reportRefusal(request: HttpRequestLike, { error, context }: Refusal): void {
    const code = EngineErrorCode[error];
    debug("refuses %s %s: %d %o", request.method, request.url, code, context);
    this.emit("connection_error", { req: request.raw, code, message: ENGINE_ERROR_MESSAGES[code], context });
  }

  // Upgrades.

  /**
   * Serves an upgrade request of Node's `http`.
   *
   * @param extra - `headers` are added to the 101 answer
   */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, extra: { headers?: HeaderFields } = {}): void {
    const destroy = (): void => {
      socket.destroy();
    };
    socket.on("error", destroy);
    const request = new NodeHttpRequest(req);
    this.#undecided.add(request);
    const forget = (): void => void this.#undecided.delete(request);
    socket.once("close", forget);
    const decide = async (error: unknown, fields: HeaderFields | undefined): Promise<void> => {
      const decision = error
        ? { refused: middlewareFailure(error) }
        : (this.#decideAtOnce(request, true) ?? (await this.#decide(request, true)));
      forget();
      socket.off("close", forget);
      if ("refused" in decision) {
        this.#reportRefusal(request, decision.refused);
        return rejectUpgrade(socket, decision.refused, fields);
      }
      socket.off("error", destroy);
      if (socket.destroyed) return;
      if (fields !== undefined || extra.headers !== undefined) {
        this.#headersOfUpgrade.set(req, { ...fields, ...extra.headers });
      }
      this.#acceptWebSocket(request, socket, head, decision);
    };
    const run = (error: unknown, fields?: HeaderFields): void => {
      decide(error, fields).catch((fault: unknown) => {
        this.report("upgrade", fault);
        socket.on("error", destroy).destroy();
      });
    };
    if (this.middlewares.length === 0) return run(undefined);
    const res = new UpgradeResponse(req, socket);
    const closings = this.#closings;
    runMiddlewareChain(this.middlewares, [req, res as unknown as ServerResponse], (error) => {
      if (closings !== this.#closings || res.writableEnded) return;
      try {
        res.writeHead();
      } catch (fault) {
        // What a middleware has put around it may try to set a field that cannot be set.
        return run(fault);
      }
      run(error, res.getHeaders());
    });
  }

  /**
   * Answers an upgrade request in plain HTTP on its raw socket and ends that, for whoever refuses one before it comes to
   * {@link EngineServer.handleUpgrade}.
   *
   * @throws TypeError for a header field that cannot be sent; the connection is cut then
   */
  refuseUpgrade(socket: Duplex, answer: UpgradeAnswer): void {
    // The client may reset the connection meanwhile, and nobody else listens.
    socket.on("error", () => socket.destroy());
    answerUpgrade(socket, answer);
  }

  #acceptWebSocket(request: NodeHttpRequest, socket: Duplex, head: Buffer, decision: Admission): void {
    this.#webSocketAcceptor().accept(request.raw, socket, head, (channel) => {
      if (request.query["transport"] !== "websocket") channel.close(CLOSE_GRACE_MS);
      else if ("known" in decision) this.#upgradeSession(decision.known, channel, request);
      else this.#admit(this.#createSession(decision.id, request, this.#webSocketTransport(channel, request)));
    });
  }

  #webSocketAcceptor(): WebSocketAcceptor {
    return (this.#acceptor ??= createWebSocketAcceptor(this.opts, (lines, req) => this.#onUpgradeHeaders(lines, req)));
  }

  /** The server object of `ws`, or of `wsEngine`; made when it is first needed, and anew after a `close`. */
  get ws(): object | undefined {
    return this.acceptsUpgrades ? this.#webSocketAcceptor().engine : undefined;
  }

  #upgradeSession(session: EngineSession, channel: WebSocketChannel, request: HttpRequestLike): void {
    // It may have ended, or another candidate may have come, since the request was checked.
    const isTaken = session.upgrading || session.upgraded || session.readyState === "closed";
    if (isTaken || session.transport.name === "websocket") channel.close(CLOSE_GRACE_MS);
    else session.tryTransport(this.#webSocketTransport(channel, request));
  }

  #webSocketTransport(channel: WebSocketChannel, request: HttpRequestLike): WebSocketTransport {
    return new WebSocketTransport(channel, this.#endOfTurn, !request.query["b64"]);
  }

  #onUpgradeHeaders(lines: string[], req: IncomingMessage): void {
    const fields: HeaderFields = { ...this.#headersOfUpgrade.get(req) };
    this.#headersOfUpgrade.delete(req);
    if (!withQuery(req)._query["sid"]) this.emit("initial_headers", fields, req);
    this.emit("headers", fields, req);
    for (const [name, value] of Object.entries(fields)) {
      validateField(name, value);
      for (const line of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${line}`);
    }
  }

  // Sessions.

  #createSession(id: string, request: HttpRequestLike, transport: Transport): EngineSession {
    const identity = {
      id,
      protocol: requestedProtocol(request),
      request: request.raw,
      remoteAddress: request.remoteAddress,
    };
    const session = new EngineSession(this, identity, transport);
    this.#rememberOrigin(session, request);
    session.open();
    return session;
  }

  #admit(session: EngineSession): void {
    if (session.readyState === "closed") return;
    this.clients[session.id] = session;
    this.clientsCount++;
    debug("opens %s over %s for %s", session.id, session.transport.name, session.remoteAddress);
    this.emit("connection", session);
  }

  onSessionEnd(session: EngineSession): void {
    this.#pingDue.delete(session);
    this.#pongDue.delete(session);
    if (this.clients[session.id] !== session) return;
    delete this.clients[session.id];
    this.clientsCount--;
  }

  awaitPing(session: EngineSession): void {
    this.#pongDue.delete(session);
    this.#pingDue.set(session, this.opts.pingInterval);
  }

  awaitPong(session: EngineSession): void {
    this.#pongDue.set(session, this.opts.pingTimeout);
  }

  /** What the handshake over a transport offers to upgrade to. */
  upgrades(transport: string): string[] {
    if (!this.opts.allowUpgrades || transport !== "polling") return [];
    return this.opts.transports.includes("websocket") ? ["websocket"] : [];
  }

  onSessionHeaders(session: EngineSession, headers: HeaderFields, request: unknown): void {
    if (session.takeFirstHeaders()) {
      const { cookie } = this.opts;
      if (typeof cookie === "object") headers["Set-Cookie"] = [handshakeCookie(session.id, cookie)];
      this.emit("initial_headers", headers, request);
    }
    this.emit("headers", headers, request);
  }

  onSessionFlush(session: EngineSession, batch: readonly QueuedPacket[]): void {
    if (this.listenerCount("flush") > 0) this.emit("flush", session, batch);
  }

  onSessionDrain(session: EngineSession): void {
    if (this.listenerCount("drain") > 0) this.emit("drain", session);
  }
}

/** What becomes of a request: it belongs to a session, begins one with this id, or is refused. */
type Admission = { readonly known: EngineSession } | { readonly id: string };
type Decision = Admission | { readonly refused: Refusal };

const CLOSED = refusal("FORBIDDEN", { name: "CLOSED", message: "Server is closing" }, 503);

function warnNotServed(code: string, what: string): void {
  process.emitWarning(`${what} is not served yet`, { code });
}

function reportListenerError(options: ResolvedEngineOptions, event: string | symbol, error: unknown): void {
  if (options.compat) {
    process.nextTick(() => {
      throw error;
    });
  } else if (options.onListenerError === undefined) {
    console.error(`[plugboard] a listener of "${String(event)}" failed:`, error);
  } else {
    try {
      options.onListenerError({ socket: undefined, event, args: [], ack: undefined, error });
    } catch (handlerError) {
      console.error("[plugboard] onListenerError failed:", handlerError, "when told of:", error);
    }
  }
}
