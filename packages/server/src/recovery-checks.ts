import type { Room, Session, SocketId } from "./adapter-contract.js";
import type { ListenerGuard } from "./listener-errors.js";

/** A socket that is about to be given back to a client, and who asks for it. */
export interface RecoveryCandidate<NamespaceType = unknown, Request = unknown> {
  readonly session: { readonly sid: SocketId; readonly rooms: readonly Room[]; readonly data: unknown };
  readonly namespace: NamespaceType;
  /** Request of the new connection. */
  readonly request: Request;
  /** What the client sent as `auth` this time, without what recovery itself needs. */
  readonly auth: Readonly<Record<string, unknown>>;
}

export type RecoveryCheck = (candidate: RecoveryCandidate) => boolean | PromiseLike<boolean>;

interface Asking {
  readonly namespace: unknown;
  readonly client: { readonly request: unknown };
  readonly auth: Readonly<Record<string, unknown>>;
}

/** Rooms whose stored sessions are void; beyond that the oldest are forgotten. */
const MAX_VOID_ROOMS = 100_000;

/**
 * Whether a stored session may be recovered (spec/server.md 3.11 and the design, 4.1). A session is void when it was in
 * a room whose sockets have been ended meanwhile, as by a logout; and whoever knows more can be asked.
 */
export class RecoveryChecks {
  readonly #guard: ListenerGuard;
  readonly #windowMs: number;
  readonly #checks: RecoveryCheck[] = [];
  /** When the mark of a room may be dropped, in milliseconds since 1970; in the order of insertion. */
  readonly #voidUntil = new Map<Room, number>();

  /** @param windowMs - how long a session may be recovered; 0 when none can */
  constructor(guard: ListenerGuard, windowMs: number) {
    this.#guard = guard;
    this.#windowMs = windowMs;
  }

  add(check: RecoveryCheck): void {
    this.#checks.push(check);
  }

  /** From now on, sessions stored with one of these rooms are void: for as long as they could be recovered. */
  invalidate(rooms: readonly Room[]): void {
    if (this.#windowMs === 0) return;
    const now = Date.now();
    for (const [room, until] of this.#voidUntil) {
      if (until > now && this.#voidUntil.size < MAX_VOID_ROOMS) break;
      this.#voidUntil.delete(room);
    }
    for (const room of rooms) {
      // At the end, where the youngest are.
      this.#voidUntil.delete(room);
      this.#voidUntil.set(room, now + this.#windowMs);
    }
  }

  /** @returns the session, or null when it may not be recovered; a check that fails says no */
  async confirm(session: Session | null, { namespace, client, auth: given }: Asking): Promise<Session | null> {
    if (session === null || this.#isVoid(session.rooms)) return null;
    if (this.#checks.length === 0) return session;
    const { pid: _pid, offset: _offset, sids: _sids, ...auth } = given;
    const { sid, rooms, data } = session;
    for (const check of this.#checks) {
      try {
        if (!(await check({ session: { sid, rooms, data }, namespace, request: client.request, auth }))) return null;
      } catch (error) {
        this.#guard.tell({ socket: undefined, event: "confirmRecovery", args: [], ack: undefined, error });
        return null;
      }
    }
    // Its rooms may have been ended while the checks took their time.
    return this.#isVoid(session.rooms) ? null : session;
  }

  #isVoid(rooms: readonly Room[]): boolean {
    if (this.#voidUntil.size === 0) return false;
    const now = Date.now();
    return rooms.some((room) => (this.#voidUntil.get(room) ?? 0) > now);
  }
}
