import { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { ENGINE_ERROR_MESSAGES, EngineErrorCode } from "@plugboard/protocol";
import cors from "cors";
import {
  checkHandshake,
  checkRequest,
  checkSession,
  refusal,
  refusalAnswer,
  refusalText,
  requestedProtocol,
  type Refusal,
} from "./admission.js";
import { DeadlineQueue } from "./deadline-queue.js";
import { EndOfTurn } from "./end-of-turn.js";
import { HandshakeLimit } from "./handshake-limit.js";
import { handshakeCookie } from "./handshake-cookie.js";
import { plainAnswer, type HeaderFields, type HttpAnswer, type HttpRequestLike } from "./http-port.js";
import { Attachment, type AttachmentTarget } from "./node/attachment.js";
import { runMiddlewares, type EngineMiddleware } from "./node/middlewares.js";
import { NodeHttpRequest, withQuery, writeNodeAnswer } from "./node/node-http-request.js";
import { UpgradeResponse } from "./node/upgrade-response.js";
import { createWebSocketAcceptor, type WebSocketAcceptor } from "./node/ws-channel.js";
import { engineUrlPrefix, resolveEngineOptions, type AttachOptions, type EngineOptions } from "./options.js";
import type { ResolvedEngineOptions } from "./options.js";
import { generateSessionId } from "./session-id.js";
import { EngineSession, type SessionHost } from "./session.js";
import { PollingTransport } from "./transports/polling.js";
import type { QueuedPacket, Transport } from "./transports/transport.js";
import type { WebSocketChannel } from "./transports/websocket-channel.js";
import { WebSocketTransport } from "./transports/websocket.js";

/**
 * The Engine.IO server. Events (spec/server.md 1.13): `connection`, `connection_error`, `initial_headers`, `headers`,
 * `flush`, `drain`.
 */
export class EngineServer extends EventEmitter implements SessionHost, AttachmentTarget {
  readonly opts: ResolvedEngineOptions;
  /** Sessions by id. Without a prototype: an id from the network can name nothing else. */
  readonly clients: Record<string, EngineSession> = Object.create(null);
  clientsCount = 0;
  httpServer: HttpServer | undefined = undefined;
  readonly #middlewares: EngineMiddleware[] = [];
  readonly #endOfTurn = new EndOfTurn();
  readonly #handshakeLimit = new HandshakeLimit();
  readonly #pingDue = new DeadlineQueue<EngineSession>((session) => session.sendPing());
  readonly #pongDue = new DeadlineQueue<EngineSession>((session) => session.onPongOverdue());
  readonly #headersOfUpgrade = new WeakMap<IncomingMessage, HeaderFields>();
  #acceptor: WebSocketAcceptor | undefined = undefined;
  #attachments: Attachment[] = [];

  constructor(options?: EngineOptions & AttachOptions) {
    super();
    this.opts = resolveEngineOptions(options);
    if (this.opts.allowEIO3) {
      const code = "EIO_PROTOCOL_3_NOT_SERVED";
      process.emitWarning("allowEIO3 is set, but Engine.IO protocol 3 is not served yet", { code });
    }
    if (this.opts.cors) this.use(cors(this.opts.cors) as EngineMiddleware);
  }

  /** Adds a middleware for every HTTP request and upgrade, before anything else looks at them. */
  use(middleware: EngineMiddleware): this {
    this.#middlewares.push(middleware);
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
    this.#attachments.push(new Attachment(server, this, options));
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

  /** Ends every session without waiting for what is queued. The engine can serve again afterwards. */
  close(): this {
    for (const session of Object.values(this.clients)) session.close(true);
    this.#acceptor?.close();
    this.#acceptor = undefined;
    return this;
  }

  // HTTP requests.

  /** Serves a request of Node's `http`: middlewares first, then {@link EngineServer.handle}. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void {
    withQuery(req);
    runMiddlewares(this.#middlewares, req, res, (error) => {
      const request = new NodeHttpRequest(req, res);
      const answer = error
        ? Promise.resolve(this.#refuse(request, refusal("BAD_REQUEST", { name: "MIDDLEWARE_FAILURE" })))
        : this.handle(request);
      answer.then(
        (value) => writeNodeAnswer(res, value),
        () => res.destroy(),
      );
    });
  }

  /**
   * Answers a polling request. The answer is a value: send it with whatever serves your HTTP, then call its `done`.
   */
  async handle(request: HttpRequestLike): Promise<HttpAnswer> {
    const wrong = checkRequest(request, this.opts);
    if (wrong !== undefined) return this.#refuse(request, wrong);
    if (request.query["sid"]) {
      const known = checkSession(request, this.clients, false);
      if (!(known instanceof EngineSession)) return this.#refuse(request, known);
      return known.transport instanceof PollingTransport ? known.transport.handle(request) : plainAnswer(400);
    }
    const refused = await checkHandshake(request, this.opts, this.#handshakeLimit, false);
    if (refused !== undefined) return this.#refuse(request, refused);
    const id = await this.#newId(request);
    if (typeof id !== "string") return this.#refuse(request, id);
    const transport = new PollingTransport(this.opts, requestedProtocol(request), request.query["j"]);
    const session = this.#createSession(id, request, transport);
    const answer = transport.handle(request);
    this.#admit(session);
    return answer;
  }

  async #newId(request: HttpRequestLike): Promise<string | Refusal> {
    try {
      return await this.generateId(request.raw);
    } catch (error) {
      return refusal("BAD_REQUEST", { name: "ID_GENERATION_ERROR", error });
    }
  }

  #refuse(request: HttpRequestLike, refused: Refusal): HttpAnswer {
    this.#reportRefusal(request, refused);
    return refusalAnswer(refused);
  }

  #reportRefusal(request: HttpRequestLike, { error, context }: Refusal): void {
    const code = EngineErrorCode[error];
    this.emit("connection_error", { req: request.raw, code, message: ENGINE_ERROR_MESSAGES[code], context });
  }

  // Upgrades.

  /**
   * Serves an upgrade request of Node's `http`.
   *
   * @param extra - `headers` are added to the 101 answer
   */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, extra: { headers?: HeaderFields } = {}): void {
    const onSocketError = (): void => {
      socket.destroy();
    };
    socket.on("error", onSocketError);
    const admit = (error: unknown, headers: HeaderFields | undefined): void => {
      const request = new NodeHttpRequest(req);
      const verdict = error
        ? Promise.resolve(refusal("BAD_REQUEST", { name: "MIDDLEWARE_FAILURE" }))
        : this.#checkUpgrade(request);
      void verdict.then((checked) => {
        if (typeof checked !== "string" && !(checked instanceof EngineSession)) {
          this.#reportRefusal(request, checked);
          return rejectUpgrade(socket, checked.status ?? 400, refusalText(checked));
        }
        socket.off("error", onSocketError);
        if (socket.destroyed) return;
        if (headers !== undefined) this.#headersOfUpgrade.set(req, headers);
        this.#acceptWebSocket(request, socket, head, checked);
      });
    };
    if (this.#middlewares.length === 0) return admit(undefined, extra.headers);
    const res = new UpgradeResponse(withQuery(req), socket);
    runMiddlewares(this.#middlewares, req, res as unknown as ServerResponse, (error) => {
      res.writeHead();
      admit(error, { ...res.fields, ...extra.headers });
    });
  }

  /** @returns the session to be upgraded, or the id of a new one, or what is wrong */
  async #checkUpgrade(request: HttpRequestLike): Promise<EngineSession | string | Refusal> {
    const wrong = checkRequest(request, this.opts);
    if (wrong !== undefined) return wrong;
    if (request.query["sid"]) return checkSession(request, this.clients, true);
    return (await checkHandshake(request, this.opts, this.#handshakeLimit, true)) ?? this.#newId(request);
  }

  #acceptWebSocket(request: NodeHttpRequest, socket: Duplex, head: Buffer, target: EngineSession | string): void {
    this.#acceptor ??= createWebSocketAcceptor(this.opts, (lines, req) => this.#onUpgradeHeaders(lines, req));
    this.#acceptor.accept(request.raw, socket, head, (channel) => {
      if (request.query["transport"] !== "websocket") channel.close();
      else if (target instanceof EngineSession) this.#upgradeSession(target, channel, request);
      else this.#openWebSocketSession(target, channel, request);
    });
  }

  #upgradeSession(session: EngineSession, channel: WebSocketChannel, request: HttpRequestLike): void {
    // It may have ended, or another candidate may have come, since the request was checked.
    const isTaken = session.upgrading || session.upgraded || session.readyState === "closed";
    if (isTaken || session.transport.name === "websocket") channel.close();
    else session.tryTransport(this.#webSocketTransport(channel, request));
  }

  #openWebSocketSession(id: string, channel: WebSocketChannel, request: HttpRequestLike): void {
    this.#admit(this.#createSession(id, request, this.#webSocketTransport(channel, request)));
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
    session.open();
    return session;
  }

  #admit(session: EngineSession): void {
    if (session.readyState === "closed") return;
    this.clients[session.id] = session;
    this.clientsCount++;
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

  upgradesOf(transport: Transport): string[] {
    if (!this.opts.allowUpgrades || transport.name !== "polling") return [];
    return ["websocket", "webtransport"].filter((name) => (this.opts.transports as string[]).includes(name));
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

/** Answers an upgrade that is refused, in plain HTTP on the raw socket, and ends it (spec/server.md 1.4). */
function rejectUpgrade(socket: Duplex, status: number, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const length = Buffer.byteLength(message);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-type: text/html\r\nContent-Length: ${length}\r\n\r\n${message}`,
    () => socket.destroy(),
  );
}
