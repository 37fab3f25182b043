import type { IncomingMessage } from "node:http";
import { EventError, type RecoveryCandidate } from "@plugboard/server";
import { Draft } from "./draft.js";
import type { AnyServer, AnySocket, OfRequest, SessionResponse } from "./framework-types.js";
import { holdingOf, type Change } from "./holding.js";
import { copyOf, freeze, textOf, type JsonData } from "./json-data.js";
import { LiveSession } from "./live-session.js";
import type { SocketMiddleware, SocketSessionsOptions } from "./options.js";
import { currentScope, foundSessionId, RequestScope } from "./request-scope.js";
import { gone, readOnly } from "./session-errors.js";
import { SessionNotices, type SessionNotice } from "./session-notices.js";
import { isSessionRoom, roomOf } from "./session-room.js";
import type { RequestSessions, SessionStore, StoredSession } from "./session-store.js";
import { SocketSessionState, type SessionEnd, type SocketSessionHost } from "./socket-session.js";
import { turnsOf, type TurnLimits, type Turns } from "./turns.js";

/** Sessions looked up at the same time by `revalidateEveryMs`. */
const REVALIDATION_BATCH = 50;

/** What was found, or is being looked for, of a session that no socket of this node has yet. */
interface Lookup {
  readonly found: Promise<LiveSession | undefined>;
  /** Set when the session ends meanwhile. */
  ended: boolean;
}

/** The sessions of the sockets of a server, and what keeps them up to date. */
export class SessionCore implements SocketSessionHost {
  readonly #io: AnyServer;
  readonly #store: SessionStore | undefined;
  readonly #requests: RequestSessions | undefined;
  readonly #turns: Turns;
  readonly #limits: TurnLimits;
  readonly #sessionIdOf: OfRequest<string | undefined>;
  readonly #onEnd: "rehandshake" | "disconnect" | "ignore";
  readonly #touchEveryMs: number;
  readonly #notices: SessionNotices;
  readonly #unwatch: (() => void) | undefined;
  readonly #revalidation: ReturnType<typeof setInterval> | undefined;
  /** By room. */
  readonly #live = new Map<string, LiveSession>();
  /** By room. */
  readonly #lookups = new Map<string, Lookup>();
  /**
   * Sockets of a connection by namespace, so that all are let go with it. Nobody tells when a namespace refuses one: it is let
   * go when the connection asks for that namespace again, else a client could collect them.
   */
  readonly #connections = new WeakMap<object, Map<string, SocketSessionState>>();
  /** Who is saving a session, by its id. */
  readonly #authors = new Map<string, SocketSessionState>();

  constructor(io: AnyServer, options: SocketSessionsOptions) {
    this.#io = io;
    this.#store = "read" in options.store ? undefined : options.store;
    this.#requests = "read" in options.store ? options.store : undefined;
    this.#turns = turnsOf(options.store);
    this.#limits = { maxWaiting: options.maxWaiting ?? 100, timeoutMs: options.turnTimeoutMs ?? 10_000 };
    this.#sessionIdOf = options.sessionIdOf ?? sessionIdOfExpress;
    this.#onEnd = options.onEnd ?? "rehandshake";
    this.#touchEveryMs = options.touchEveryMs ?? 60_000;
    // Where a cookie says who a client is, a page of anybody could open a socket in its name.
    if (options.checkOrigin !== false) {
      io.configureEngines((engine) => {
        engine.checkOrigin ??= true;
      });
    }
    this.#notices = new SessionNotices(
      io,
      (notice) => this.#hear(notice),
      (error) => this.report(undefined, "session:notice", [], error),
    );
    this.#unwatch = this.#store?.watch?.({
      saved: (id, session, changed) => this.#onSaved(id, session, changed),
      destroyed: (id) => this.#onDestroyed(id),
    });
    const admitBy = options.admitBy ?? ((middleware: SocketMiddleware): void => void io.useAlways(middleware));
    admitBy((socket, next) => {
      this.#admit(socket).then(
        () => next(),
        (error: Error) => {
          if (!(error instanceof EventError)) this.report(socket, "session:load", [], error);
          // A refusal would keep the client away; that of a lost connection comes back.
          socket.rehandshake("session unavailable");
          next(error);
        },
      );
    });
    io.confirmRecovery((candidate) => this.#mayRecover(candidate));
    const everyMs = options.revalidateEveryMs ?? 0;
    if (everyMs > 0) this.#revalidation = setInterval(() => void this.#revalidate(), everyMs).unref();
  }

  close(): void {
    this.#unwatch?.();
    this.#notices.close();
    clearInterval(this.#revalidation);
    for (const live of this.#live.values()) live.close();
  }

  scopeOf(
    req: object,
    res: SessionResponse,
    takesTurn: boolean,
    sessionOf?: OfRequest<object | null | undefined>,
  ): RequestScope {
    return new RequestScope(this.#turns, req, res, takesTurn ? this.#limits : undefined, sessionOf);
  }

  // Sockets that come.

  async #admit(socket: AnySocket): Promise<void> {
    const id = this.#requests === undefined ? this.#sessionIdOf(socket.request) : undefined;
    const session = new SocketSessionState(this, socket, id);
    Object.defineProperty(socket, "session", { value: session, configurable: true, enumerable: true });
    if (this.#requests !== undefined) {
      const own = this.#requests.read(socket.request);
      if (own) session.fixed = freeze(copyOf(own));
    }
    if (id === undefined) return;
    this.#follow(socket, session);
    const room = roomOf(id);
    // Before it is looked for: whoever ends the session from now on ends this socket.
    await socket.join(room);
    const live = await this.#find(id, room);
    if (live === undefined) {
      // Its handshake had the session, and was let in for it.
      const isLost = this.#onEnd !== "ignore" && foundSessionId(socket.request) === id;
      if (socket.recovered || isLost) throw gone();
      return void (await socket.leave(room));
    }
    if (session.closed) return this.#forgetUnused(live);
    session.live = live;
    live.members.add(session);
    if (this.#touchEveryMs > 0) socket.onAny(() => this.#onActivity(live));
  }

  /** Lets a session know when its socket is gone. */
  #follow(socket: AnySocket, session: SocketSessionState): void {
    const { conn } = socket;
    const { name } = socket.nsp;
    let sessions = this.#connections.get(conn);
    if (sessions === undefined) {
      const all = new Map<string, SocketSessionState>();
      this.#connections.set(conn, (sessions = all));
      conn.once("close", () => {
        for (const one of all.values()) this.#leave(one);
      });
    }
    const former = sessions.get(name);
    if (former !== undefined) this.#leave(former);
    sessions.set(name, session);
    socket.once("disconnect", () => {
      if (sessions.get(name) === session) sessions.delete(name);
      this.#leave(session);
    });
  }

  #leave(session: SocketSessionState): void {
    session.closed = true;
    const { live } = session;
    if (live === undefined) return;
    live.members.delete(session);
    this.#forgetUnused(live);
  }

  #forgetUnused(live: LiveSession): void {
    if (live.members.size > 0) return;
    live.close();
    if (this.#live.get(live.room) === live) this.#live.delete(live.room);
  }

  /** What is known of a session here, or in the store. */
  #find(id: string, room: string): Promise<LiveSession | undefined> {
    const live = this.#live.get(room);
    if (live !== undefined) return Promise.resolve(live.ended ? undefined : live);
    let lookup = this.#lookups.get(room);
    if (lookup === undefined) {
      const fresh: Lookup = {
        ended: false,
        found: this.#load(id).then((stored) => this.#found(id, room, stored, fresh)),
      };
      this.#lookups.set(room, (lookup = fresh));
      const forget = (): void => void this.#lookups.delete(room);
      fresh.found.then(forget, forget);
    }
    return lookup.found;
  }

  #found(id: string, room: string, stored: StoredSession | undefined, { ended }: Lookup): LiveSession | undefined {
    if (stored === undefined || ended) return undefined;
    const live = new LiveSession(id, room, stored);
    this.#live.set(room, live);
    this.#arm(live);
    return live;
  }

  #load(id: string): Promise<StoredSession | undefined> {
    return this.#store === undefined ? Promise.resolve(undefined) : this.#store.load(id);
  }

  /** A stored socket goes to the session that it had, if that lives, and to nobody else. */
  async #mayRecover({ session, request }: RecoveryCandidate<unknown, IncomingMessage>): Promise<boolean> {
    if (this.#store === undefined) return true;
    const id = this.#sessionIdOf(request);
    const room = session.rooms.find(isSessionRoom);
    if (id === undefined || (room !== undefined && room !== roomOf(id))) return room === undefined && id === undefined;
    const stored = await this.#load(id);
    return (stored !== undefined) === (room !== undefined);
  }

  // What sockets and programs ask for.

  async reload(session: SocketSessionState): Promise<void> {
    const { id } = session;
    if (id === undefined) throw gone();
    const live = this.#live.get(roomOf(id));
    const exists = live === undefined ? (await this.#load(id)) !== undefined : await this.#lookAgain(live, session);
    if (!exists) throw gone();
  }

  async update(
    id: string | undefined,
    change: Change,
    by: SocketSessionState | undefined,
  ): Promise<Readonly<JsonData>> {
    if (this.#store?.save === undefined) throw readOnly();
    if (id === undefined) throw gone();
    const holding = holdingOf(this.#turns, id);
    if (holding !== undefined) return freeze(await holding.apply(change));
    return this.#turns.run(id, this.#limits, async (turn) => {
      const stored = await this.#load(id);
      if (stored === undefined) throw this.#missing(id);
      const before = textOf(stored.data);
      const draft = new Draft(this.#turns, turn, id, stored.data);
      await draft.run(change);
      // What cannot be stored is not there.
      const after = textOf(draft.data);
      const data = JSON.parse(after) as JsonData;
      if (turn.destroyed) throw gone();
      if (!turn.over) {
        const next = { ...stored, data };
        if (after === before) this.#take(id, next, by);
        else await this.#save(id, next, by);
      }
      return freeze(data);
    });
  }

  async #save(id: string, session: StoredSession, by: SocketSessionState | undefined): Promise<void> {
    const store = this.#store as Required<SessionStore>;
    if (by !== undefined) this.#authors.set(id, by);
    try {
      const saved = await store.save(id, session);
      if (this.#unwatch === undefined) this.#onSaved(id, saved, true);
    } finally {
      this.#authors.delete(id);
    }
  }

  async touch(id: string | undefined): Promise<void> {
    const store = this.#store;
    if (store?.touch === undefined) throw readOnly();
    if (id === undefined) throw gone();
    const stored = this.#live.get(roomOf(id))?.stored ?? (await this.#load(id));
    if (stored === undefined) throw this.#missing(id);
    const touched = await store.touch(id, stored);
    if (this.#unwatch === undefined) this.#onSaved(id, touched, false);
  }

  async destroy(id: string | undefined): Promise<void> {
    if (this.#store?.destroy === undefined) throw readOnly();
    if (id === undefined) throw gone();
    this.#turns.destroyed(id);
    await this.#store.destroy(id);
    if (this.#unwatch === undefined) this.#onDestroyed(id);
  }

  draftOf(id: string | undefined): JsonData | undefined {
    const holding = id === undefined ? undefined : holdingOf(this.#turns, id);
    return holding instanceof Draft ? holding.data : undefined;
  }

  report(socket: unknown, event: string, args: readonly unknown[], error: unknown): void {
    this.#io.reportFailure(event, error, socket, args);
  }

  // What happens to sessions.

  #onActivity(live: LiveSession): void {
    if (live.ended || !live.isDue(this.#touchEveryMs)) return;
    // So that the events that come meanwhile do not ask too.
    live.touchedAt = Date.now();
    this.touch(live.id).catch((error: unknown) => {
      // A store without it: the events of sockets do not count.
      if (!(error instanceof EventError)) this.report(undefined, "session:touch", [], error);
    });
  }

  #onSaved(id: string, session: StoredSession, changed: boolean): void {
    const room = roomOf(id);
    const live = this.#live.get(room);
    if (!changed) {
      live?.prolong(session);
      if (live !== undefined) this.#arm(live);
      return;
    }
    if (live !== undefined) live.writes++;
    this.#notices.send({ room, what: "changed" });
    this.#take(id, session, this.#authors.get(id));
  }

  /** Takes a state of a session that is no older than what is known, and tells all its sockets but one. */
  #take(id: string, session: StoredSession, except: SocketSessionState | undefined): void {
    const live = this.#live.get(roomOf(id));
    if (live === undefined || live.ended) return;
    const changed = live.take(session);
    this.#arm(live);
    if (!changed) return;
    for (const member of live.members) {
      if (member !== except) member.tell("changed", live.data);
    }
  }

  #onDestroyed(id: string): void {
    const scope = currentScope(this.#turns);
    if (scope?.id !== id) return this.#end(id, "destroyed");
    // By the request of a client who will come back with the cookie of the response: after that has gone out.
    this.#endLocally(roomOf(id), "destroyed");
    scope.whenAnswered(() => this.#endEverywhere(id, "destroyed"), this.#limits.timeoutMs);
  }

  #end(id: string, why: SessionEnd): void {
    this.#endLocally(roomOf(id), why);
    this.#endEverywhere(id, why);
  }

  #endEverywhere(id: string, why: SessionEnd): void {
    const room = roomOf(id);
    this.#notices.send({ room, what: why });
    if (this.#onEnd !== "ignore") this.#io.endSockets(room, this.#onEnd, `session ${why}`);
  }

  #endLocally(room: string, why: SessionEnd): void {
    const lookup = this.#lookups.get(room);
    if (lookup !== undefined) lookup.ended = true;
    const live = this.#live.get(room);
    if (live === undefined || live.ended) return;
    live.ended = true;
    live.close();
    for (const member of live.members) member.tell("ended", why);
  }

  /** A session that is known here is not in the store any more. Returns what to tell who asked for it. */
  #missing(id: string): EventError {
    const live = this.#live.get(roomOf(id));
    if (live !== undefined && !live.ended) this.#end(id, live.hasExpired() ? "expired" : "destroyed");
    return gone();
  }

  #hear({ room, what }: SessionNotice): void {
    if (what !== "changed") return this.#endLocally(room, what);
    const live = this.#live.get(room);
    if (live !== undefined) this.#refresh(live);
  }

  #arm(live: LiveSession): void {
    live.arm(() => this.#refresh(live));
  }

  /** Looks into the store, which has the last word. Returns whether there is such a session. */
  async #lookAgain(live: LiveSession, by?: SocketSessionState): Promise<boolean> {
    const { writes } = live;
    const stored = await this.#load(live.id);
    const exists = stored !== undefined;
    if (live.ended || this.#live.get(live.room) !== live) return exists;
    if (live.writes !== writes) return this.#lookAgain(live, by);
    if (exists) this.#take(live.id, stored, by);
    else this.#missing(live.id);
    return exists;
  }

  #refresh(live: LiveSession): void {
    this.#lookAgain(live).catch((error: unknown) => {
      this.report(undefined, "session:load", [], error);
      if (!live.ended) this.#arm(live);
    });
  }

  async #revalidate(): Promise<void> {
    const all = [...this.#live.values()];
    for (let i = 0; i < all.length; i += REVALIDATION_BATCH) {
      const looks = all.slice(i, i + REVALIDATION_BATCH).map((live) => this.#lookAgain(live));
      for (const { status, ...result } of await Promise.allSettled(looks)) {
        if (status === "rejected") this.report(undefined, "session:load", [], (result as PromiseRejectedResult).reason);
      }
    }
  }
}

function sessionIdOfExpress(request: { readonly sessionID?: unknown } | undefined): string | undefined {
  const id = request?.sessionID;
  return typeof id === "string" ? id : undefined;
}
