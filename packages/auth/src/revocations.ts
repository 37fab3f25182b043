import { hash } from "node:crypto";
import type { Credentials } from "./verified.js";

/** What is revoked: everything that has any of these. */
export interface RevocationTarget {
  /** All tokens of a user that were issued up to now. */
  readonly user?: string | undefined;
  readonly tokenId?: string | undefined;
  readonly session?: string | undefined;
}

/** What has been revoked, and when. */
export interface Revocation {
  /** One for each id, at most three. Short, of letters, digits, `:`, `-` and `_`; the ids cannot be read from them. */
  readonly keys: readonly string[];
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** When it may be forgotten, in milliseconds since 1970. */
  readonly until: number;
}

/** Keeps revocations where all nodes, and those that start later, find them: in Redis, in a database. */
export interface RevocationStore {
  add(revocation: Revocation): unknown;
  /** @returns for each key, in the same order, when it was revoked; null or undefined when it was not */
  find(keys: readonly string[]): RevocationTimes | PromiseLike<RevocationTimes>;
}

/** In milliseconds since 1970. */
export type RevocationTimes = ReadonlyArray<number | null | undefined>;

/** What keys begin with. They are also the names of the rooms of all who have the same id: no client may leave those. */
const PREFIX = "plugboard:auth:";
const USER_PREFIX = `${PREFIX}user:`;

/** Revocations that a node remembers; beyond that the oldest are forgotten. */
const MAX_REVOCATIONS = 100_000;

/** Keys of what credentials can be revoked by, that of the user first. */
export function keysOf({ user, tokenId, session }: RevocationTarget): string[] {
  const keys: string[] = [];
  if (user !== undefined) keys.push(USER_PREFIX + digest(user));
  if (tokenId !== undefined) keys.push(`${PREFIX}token:${digest(tokenId)}`);
  if (session !== undefined) keys.push(`${PREFIX}session:${digest(session)}`);
  return keys;
}

/** Ids may be secrets, as those of sessions are, and rooms are shown by tools. */
function digest(id: string): string {
  return hash("sha256", id, "base64url").slice(0, 22);
}

/** Of the rooms of a socket, those that are keys. */
export function keysAmong(rooms: Iterable<string>): string[] {
  return [...rooms].filter((room) => room.startsWith(PREFIX));
}

/** Whether rooms are those of one user, or of nobody. */
export function areOf(rooms: Iterable<string>, credentials: Credentials | undefined): boolean {
  const expected = credentials === undefined ? [] : keysOf({ user: credentials.user });
  const users = keysAmong(rooms).filter((key) => key.startsWith(USER_PREFIX));
  return users.length === expected.length && users[0] === expected[0];
}

/**
 * Whether these times mean that credentials are revoked. Whoever was revoked as a user may have logged in anew: a token
 * issued later is none of those that were meant.
 *
 * @param times - of `keysOf(credentials)`
 */
export function isRevokedBy(times: RevocationTimes, { issuedAt = 0 }: Credentials): boolean {
  const [user, ...others] = times;
  return (user != null && issuedAt <= user) || others.some((time) => time != null);
}

/** What this node has heard of, in memory. */
export class RecentRevocations {
  /** In the order of insertion. */
  readonly #byKey = new Map<string, { readonly at: number; readonly until: number }>();
  #hasWarned = false;

  get size(): number {
    return this.#byKey.size;
  }

  add({ keys, at, until }: Revocation): void {
    this.#dropOld();
    for (const key of keys) {
      const known = this.#byKey.get(key);
      // At the end, where the youngest are.
      this.#byKey.delete(key);
      this.#byKey.set(key, { at: Math.max(at, known?.at ?? 0), until: Math.max(until, known?.until ?? 0) });
    }
  }

  find(keys: readonly string[]): (number | undefined)[] {
    if (this.#byKey.size === 0) return [];
    const now = Date.now();
    return keys.map((key) => {
      const known = this.#byKey.get(key);
      return known !== undefined && known.until > now ? known.at : undefined;
    });
  }

  #dropOld(): void {
    const now = Date.now();
    for (const [key, { until }] of this.#byKey) {
      if (until > now) {
        if (this.#byKey.size < MAX_REVOCATIONS) break;
        this.#warn();
      }
      this.#byKey.delete(key);
    }
  }

  #warn(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`more than ${MAX_REVOCATIONS} revocations: the oldest are forgotten, which a store would not`, {
      code: "SIO_REVOCATIONS_FORGOTTEN",
    });
  }
}

/** What another node has sent may be anything. */
export function isRevocation(value: unknown): value is Revocation {
  const { keys, at, until } = (value ?? {}) as Record<string, unknown>;
  return (
    Array.isArray(keys) &&
    keys.length <= 3 &&
    keys.every((key) => typeof key === "string" && key.length < 64) &&
    Number.isFinite(at) &&
    Number.isFinite(until)
  );
}
