import { freeze, textOf, type JsonData } from "./json-data.js";
import type { StoredSession } from "./session-store.js";

/** Longest time that timers of Node can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** How soon and how late a session is looked at again that the store still has when its time should be over. */
const MIN_RECHECK_MS = 250;
const MAX_RECHECK_MS = 60_000;

/** A socket of the session. */
export interface SessionMember {
  tell(event: "changed" | "ended", argument: unknown): void;
}

/** A session that sockets of this node belong to. */
export class LiveSession {
  readonly id: string;
  readonly room: string;
  readonly members: Set<SessionMember> = new Set();
  /** Set when it is no more: destroyed, or expired. */
  ended = false;
  /** How often it was written here: what was loaded meanwhile may be older. */
  writes = 0;
  /** Last known state. */
  stored: StoredSession;
  /** The same data, which nobody can change. */
  data: Readonly<JsonData>;
  /** When it was touched or loaded last, in milliseconds since 1970. */
  touchedAt: number = Date.now();
  #text: string;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(id: string, room: string, stored: StoredSession) {
    this.id = id;
    this.room = room;
    this.stored = stored;
    this.data = freeze(stored.data);
    this.#text = textOf(stored.data);
  }

  /** Takes a newer state. Returns whether the data is another. */
  take(stored: StoredSession): boolean {
    const text = textOf(stored.data);
    const changed = text !== this.#text;
    this.stored = stored;
    if (!changed) return false;
    this.data = freeze(stored.data);
    this.#text = text;
    return true;
  }

  /** Takes a later end. */
  prolong({ expiresAt, lifetimeMs, extra }: StoredSession): void {
    this.touchedAt = Date.now();
    this.stored = { data: this.stored.data, expiresAt, lifetimeMs, extra };
  }

  /** Whether it is time to touch it: not more often than asked for, but twice in its lifetime at least. */
  isDue(touchEveryMs: number): boolean {
    const { lifetimeMs } = this.stored;
    const everyMs = lifetimeMs === undefined ? touchEveryMs : Math.min(touchEveryMs, lifetimeMs / 2);
    return Date.now() - this.touchedAt >= everyMs;
  }

  /** Calls back when its time should be over, in place of an earlier call. */
  arm(callback: () => void): void {
    clearTimeout(this.#timer);
    const { expiresAt } = this.stored;
    if (expiresAt === undefined) return;
    const leftMs = expiresAt - Date.now();
    // The store has the last word. It may have been asked in the last moment, or round: so soon at first. Some keep a later end
    // apart from the data: so ever more rarely.
    const recheckMs = Math.min(Math.max(-leftMs, MIN_RECHECK_MS), MAX_RECHECK_MS);
    this.#timer = setTimeout(callback, Math.min(leftMs > 0 ? leftMs : recheckMs, MAX_TIMER_MS));
    this.#timer.unref();
  }

  /** Whether its time should be over. */
  hasExpired(): boolean {
    return this.stored.expiresAt !== undefined && this.stored.expiresAt <= Date.now();
  }

  /** Lets go of its timer. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
