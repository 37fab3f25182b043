import type { Server, Socket } from "@plugboard/server";
import type { CredentialsOptions } from "./options.js";
import { type RecentRevocations, isRevokedBy, keysOf } from "./revocations.js";
import { SharedTimer } from "./shared-timer.js";
import type { Credentials } from "./verified.js";

/** Event by which a client is asked for new credentials. */
const EXPIRING = "auth:expiring";
/** Type of the packet of an event (spec/server.md 2.2). */
const EVENT_PACKET = 2;

const DEFAULT_RENEW_BEFORE_MS = 30_000;
/** Between asking once and again. */
const MIN_ASK_GAP_MS = 5000;

/** The credentials of one socket. */
interface Live<C> {
  credentials: C;
  /** Rooms that the socket is in for them. */
  keys: readonly string[];
  /** In milliseconds since 1970, or `Infinity`. */
  expiresAt: number;
  /** When to ask for new ones; `Infinity` for never. */
  askAt: number;
  readonly isRenewable: boolean;
  /** Id of the packet whose answer is awaited. */
  askedBy: number | undefined;
}

/** On the socket itself: a `WeakMap` of many thousands costs the garbage collector more than all the rest. */
const LIVE = Symbol("live credentials");
interface Holder<C> {
  [LIVE]?: Live<C>;
}

/** What becomes of a client's answer. */
export type Renew = (socket: Socket, payload: unknown) => Promise<void>;

/**
 * The credentials of all sockets of this node: asks for new ones in time, and ends the sockets whose time is up or whose
 * credentials have been revoked. For that it looks at the sockets that there are, those whose middlewares run included,
 * so whoever is gone needs no farewell.
 */
export class LiveCredentials<C extends Credentials> {
  readonly #io: Server;
  readonly #recent: RecentRevocations;
  readonly #renew: Renew;
  readonly #renewBeforeMs: number;
  readonly #onExpiry: "rehandshake" | "disconnect";
  readonly #timer = new SharedTimer((now) => this.#sweep(now));
  /** Keys that were revoked since the last look at all sockets. */
  #revoked = new Set<string>();

  constructor(io: Server, recent: RecentRevocations, options: CredentialsOptions<C>, renew: Renew) {
    this.#io = io;
    this.#recent = recent;
    this.#renew = renew;
    this.#renewBeforeMs = options.renewBeforeMs ?? DEFAULT_RENEW_BEFORE_MS;
    this.#onExpiry = options.onExpiry ?? "rehandshake";
  }

  get(socket: object): C | undefined {
    return (socket as Holder<C>)[LIVE]?.credentials;
  }

  /**
   * Gives credentials to a socket, in place of those it has; for those it joins the rooms by which they can be revoked.
   *
   * @returns whether they still count: they may have been revoked, and the socket may have gone, meanwhile
   */
  async set(socket: Socket, credentials: C, isRenewable: boolean): Promise<boolean> {
    const keys = keysOf(credentials);
    await socket.join(keys);
    if (isRevokedBy(this.#recent.find(keys), credentials)) return false;
    const former = (socket as Holder<C>)[LIVE]?.keys ?? [];
    for (const key of former) if (!keys.includes(key)) void socket.leave(key);
    const { expiresAt = Infinity } = credentials;
    const now = Date.now();
    // Credentials that last less than twice that long are used for half of their time.
    const askAt = Math.max(expiresAt - this.#renewBeforeMs, now + (expiresAt - now) / 2);
    const mayAsk = isRenewable && this.#renewBeforeMs > 0 && expiresAt !== Infinity;
    const live = { credentials, keys, expiresAt, askAt: mayAsk ? askAt : Infinity, isRenewable, askedBy: undefined };
    Object.assign(socket, { credentials, [LIVE]: live });
    this.#timer.due(Math.min(live.expiresAt, live.askAt));
    return true;
  }

  /** These keys were revoked: looks soon whether sockets have to be ended. */
  checkRevoked(keys: readonly string[]): void {
    for (const key of keys) this.#revoked.add(key);
    this.#timer.due(Date.now());
  }

  #sweep(now: number): number {
    const revoked = this.#revoked;
    if (revoked.size > 0) this.#revoked = new Set();
    let next = Infinity;
    for (const { sockets, _preConnectSockets } of this.#io._nsps.values()) {
      for (const socket of sockets.values()) next = Math.min(next, this.#tend(socket, now, revoked));
      for (const socket of _preConnectSockets.values()) next = Math.min(next, this.#tend(socket, now, revoked));
    }
    return next;
  }

  /** @returns the next deadline of this socket */
  #tend(socket: Socket, now: number, revoked: ReadonlySet<string>): number {
    const live = (socket as Holder<C>)[LIVE];
    if (live === undefined) return Infinity;
    if (revoked.size > 0 && this.#isRevoked(live, revoked)) {
      socket.rehandshake("credentials revoked");
      return Infinity;
    }
    if (live.expiresAt <= now) {
      // Whoever is not in yet has been promised nothing: it may try again.
      if (this.#onExpiry === "disconnect" && socket.connected) socket.disconnect();
      else socket.rehandshake("credentials expired");
      return Infinity;
    }
    if (live.askAt <= now && socket.connected) this.#ask(socket, live, now);
    return Math.min(live.askAt, live.expiresAt);
  }

  #isRevoked({ keys, credentials }: Live<C>, revoked: ReadonlySet<string>): boolean {
    for (const key of keys) if (revoked.has(key)) return isRevokedBy(this.#recent.find(keys), credentials);
    return false;
  }

  /**
   * The packet is written by hand: the event is not one of the program's, so it is none that its contract has to know, and it
   * must not be kept for a client that is away. What comes back is an acknowledgement, which no listener of events and no
   * middleware sees, and which nobody can send unasked.
   */
  #ask(socket: Socket, live: Live<C>, now: number): void {
    const nextAt = now + Math.max(MIN_ASK_GAP_MS, (live.expiresAt - now) / 2);
    live.askAt = nextAt < live.expiresAt ? nextAt : Infinity;
    if (live.askedBy !== undefined) socket.acks.delete(live.askedBy);
    const id = socket.nsp._ids++;
    live.askedBy = id;
    socket.acks.set(id, (payload: unknown) => this.#renew(socket, payload));
    socket.packet({ type: EVENT_PACKET, id, data: [EXPIRING, { expiresAt: live.expiresAt }] });
  }
}
