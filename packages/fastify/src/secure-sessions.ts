import { fromRequest, SocketSessions } from "@plugboard/session";
import type { Server, Socket } from "@plugboard/server";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { invalidOption } from "./check-options.js";
import { fastifyRequestOf } from "./handshake-requests.js";
import type { SessionOptions } from "./options.js";

/** How often it is looked whether sessions have expired: nothing else tells, and it is but the opening of a cookie. */
const REVALIDATE_EVERY_MS = 60_000;

/** How long a handshake may take from its first hook until its socket joins, in milliseconds: ends before that are forgotten. */
const LONGEST_HANDSHAKE_MS = 300_000;

type Cookies = Readonly<Record<string, string | undefined>>;

/** What `@fastify/secure-session` and `@fastify/cookie` put on applications. */
interface SecureApp {
  /** Throws for a name that no session has. */
  decodeSecureSession(cookie: string, log: undefined, name: string): Pick<SecureSession, "data"> | null;
  parseCookie(header: string): Cookies;
  unsignCookie(cookie: string): { valid: boolean; value: string | null };
}

/** The session that a request came with. */
interface Arrival {
  readonly cookie: string;
  /** In the time of `performance.now()`. */
  readonly at: number;
}

/** What `@fastify/cookie` puts on requests. */
interface CookieRequest {
  readonly cookies?: Cookies;
}

interface SecureSession {
  readonly changed: boolean;
  data(): object;
  delete(): void;
  regenerate(ignoredFields?: string[]): void;
}

/**
 * The sessions of `@fastify/secure-session`. They are whole in their cookies and have no id: so the sockets of one are those
 * that came with the same cookie, or with one that a request has since replaced.
 */
export class SecureSessions {
  readonly #io: Server;
  readonly #app: SecureApp;
  readonly #name: string;
  readonly #onEnd: Required<SessionOptions>["onEnd"];
  readonly #sessions: SocketSessions;
  readonly #revalidation: ReturnType<typeof setInterval> | undefined;
  readonly #arrivals = new WeakMap<FastifyRequest, Arrival>();
  /** When sessions were deleted or regenerated, by cookie, the oldest first. */
  readonly #ended = new Map<string, number>();
  /** Requests that have deleted or regenerated their session. */
  readonly #ending = new WeakSet<FastifyRequest>();

  constructor(
    app: FastifyInstance,
    io: Server,
    { revalidateEveryMs = REVALIDATE_EVERY_MS, name = "session", ...options }: SessionOptions,
  ) {
    this.#io = io;
    this.#app = app as unknown as SecureApp;
    this.#name = name;
    this.#checkName();
    this.#onEnd = options.onEnd ?? "rehandshake";
    // The origin rule of the plugin knows what @fastify/cors allows.
    this.#sessions = new SocketSessions(io, {
      ...options,
      store: fromRequest((request) => this.#read(request)),
      checkOrigin: false,
    });
    io.useAlways((socket, next) => void this.#join(socket).then(() => next(), next));
    app.addHook("onRequest", (request, _reply, done) => {
      this.#watch(request);
      done();
    });
    app.addHook("onResponse", (request, reply, done) => {
      this.#onResponse(request, reply);
      done();
    });
    if (revalidateEveryMs > 0 && this.#onEnd !== "ignore") {
      this.#revalidation = setInterval(() => this.#revalidate(), revalidateEveryMs).unref();
    }
  }

  #checkName(): void {
    try {
      this.#app.decodeSecureSession("", undefined, this.#name);
    } catch (error) {
      throw invalidOption(
        `@fastify/secure-session has no session of the name ${JSON.stringify(this.#name)}: say by session: { name } which of its sessions sockets have, or session: false`,
        error,
      );
    }
  }

  roomOf(cookie: string): string {
    return this.#sessions.roomOf(cookie);
  }

  close(): void {
    clearInterval(this.#revalidation);
    this.#sessions.close();
  }

  async #join(socket: Socket): Promise<void> {
    const request = fastifyRequestOf(socket.request);
    const arrival = request && this.#arrivals.get(request);
    if (arrival === undefined) return;
    const { cookie, at } = arrival;
    await socket.join(this.roomOf(cookie));
    // Its hooks may have let it in before the session ended, and then it was in no room.
    if (at >= (this.#ended.get(cookie) ?? 0)) return;
    // Nothing has been agreed with its client: it may try again.
    socket.rehandshake("session destroyed");
    throw new Error("session destroyed");
  }

  /** The cookie that is a session. What it is called only the other plugin knows. */
  #find(cookies: Cookies, isWanted: (data: object) => boolean = () => true): string | undefined {
    return Object.values(cookies).find((value) => {
      const data = value === undefined ? undefined : this.#decoded(value);
      return data !== undefined && isWanted(data);
    });
  }

  #decoded(cookie: string): object | undefined {
    const session = this.#decode(cookie);
    if (session !== null) return session.data();
    // With the option `signed`. Other plugins than the one of cookies may have no secret.
    if (!cookie.includes(".")) return undefined;
    try {
      const { valid, value } = this.#app.unsignCookie(cookie);
      return valid && value !== null ? this.#decode(value)?.data() : undefined;
    } catch {
      return undefined;
    }
  }

  #decode(cookie: string): Pick<SecureSession, "data"> | null {
    return this.#app.decodeSecureSession(cookie, undefined, this.#name);
  }

  #sessionOf(request: object | undefined): SecureSession | null | undefined {
    return (request as Record<string, SecureSession | null> | undefined)?.[this.#name];
  }

  #read(request: object | undefined): object | undefined {
    return this.#sessionOf(request)?.data?.();
  }

  /** A client may have put another session under another name, which is not the one that the request has. */
  #note(request: FastifyRequest): void {
    const { cookies = {} } = request as CookieRequest;
    const own = JSON.stringify(this.#read(request));
    const cookie = this.#find(cookies, (data) => JSON.stringify(data) === own) ?? this.#find(cookies);
    if (cookie !== undefined) this.#arrivals.set(request, { cookie, at: performance.now() });
  }

  #watch(request: FastifyRequest): void {
    const session = this.#sessionOf(request);
    if (!session) return;
    this.#note(request);
    if (!this.#arrivals.has(request)) return;
    for (const name of ["delete", "regenerate"] as const) {
      const method = session[name] as (...args: unknown[]) => void;
      const value = (...args: unknown[]): void => {
        this.#ending.add(request);
        method(...args);
      };
      Object.defineProperty(session, name, { value, configurable: true });
    }
  }

  /** When the client has the answer: who comes back has the cookie that is in it. */
  #onResponse(request: FastifyRequest, reply: FastifyReply): void {
    const session = this.#sessionOf(request);
    if (!session?.changed) return;
    const former = this.#arrivals.get(request)?.cookie;
    if (former === undefined) return;
    if (this.#ending.has(request)) {
      if (this.#onEnd === "ignore") return;
      this.#noteEnd(former);
      this.#io.endSockets(this.roomOf(former), this.#onEnd, "session destroyed");
      return;
    }
    const next = [reply.getHeader("set-cookie") ?? []]
      .flat()
      .map((field) => this.#find(this.#app.parseCookie(`${field}`)));
    const cookie = next.find((found) => found !== undefined);
    if (cookie === undefined) return;
    for (const namespace of this.#io._nsps.values()) namespace.in(this.roomOf(former)).socketsJoin(this.roomOf(cookie));
  }

  #noteEnd(cookie: string): void {
    const now = performance.now();
    for (const [other, at] of this.#ended) {
      if (at + LONGEST_HANDSHAKE_MS > now) break;
      this.#ended.delete(other);
    }
    this.#ended.delete(cookie);
    this.#ended.set(cookie, now);
  }

  #revalidate(): void {
    for (const { sockets } of this.#io._nsps.values()) {
      for (const socket of sockets.values()) this.#endIfExpired(socket as unknown as Socket);
    }
  }

  /** A session that requests have prolonged meanwhile is in the next cookie: the client comes back with that. */
  #endIfExpired(socket: Socket): void {
    const request = fastifyRequestOf(socket.request);
    const hadSession = Object.keys(this.#read(request) ?? {}).length > 0;
    if (!hadSession) return;
    const arrival = request && this.#arrivals.get(request);
    if (arrival !== undefined && this.#decoded(arrival.cookie) !== undefined) return;
    if (this.#onEnd === "disconnect") socket.disconnect(true);
    else socket.rehandshake("session expired");
  }
}
