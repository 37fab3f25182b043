import type { EventsMap, Handshake, Server, Socket } from "@plugboard/server";
import type { IncomingMessage } from "node:http";
import { LiveCredentials } from "./live-credentials.js";
import type { CredentialsOptions } from "./options.js";
import { RefusalError, isUnavailable } from "./refusal.js";
import {
  RecentRevocations,
  type Revocation,
  type RevocationTarget,
  areOf,
  isRevocation,
  keysAmong,
  keysOf,
} from "./revocations.js";
import { type Presented, Verifier } from "./verifier.js";
import type { Credentials } from "./verified.js";

/** How to revoke. */
export interface RevokeOptions {
  /**
   * `"rehandshake"`: clients come back, and are refused by `connect_error`, unless they have other credentials by then.
   * `"disconnect"`: they stay away. Default: "rehandshake".
   */
  how?: "rehandshake" | "disconnect";
  /** Description of the `disconnect` event on the server. Default: "credentials revoked". */
  reason?: string;
  /** Until when it is remembered, in milliseconds since 1970. Default: now and `rememberRevokedMs`. */
  until?: number;
}

/** What {@link credentials} returns. */
export interface CredentialsHandle<C extends Credentials> {
  /**
   * The credentials of a socket, as `verify` gave them.
   *
   * @throws RefusalError, code `SIO_UNAUTHORIZED`, when it has none
   */
  of(socket: Pick<Socket, "id" | "handshake">): C;
  /**
   * Ends all sockets that have any of these ids, in all namespaces and on all nodes, and keeps them out: what is stored of
   * them for recovery is void, and tokens with these ids are refused from now on.
   *
   * @returns resolves when the store has it, at once without a store; rejects when the store fails, or no id is given
   */
  revoke(target: RevocationTarget, options?: RevokeOptions): Promise<void>;
}

/** By which nodes tell each other. Not one that a program would choose. */
const REVOKED = "plugboard:credentials-revoked";
const DEFAULT_REMEMBER_REVOKED_MS = 24 * 60 * 60 * 1000;

/** An earlier verdict counts for so long: another middleware may refuse the socket before ours sees it. */
const EARLIER_VERDICT_MS = 10_000;

type Next = (error?: Error) => void;

interface Earlier<C> {
  readonly verdict: Promise<C | undefined>;
  /** When it was asked for, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Lets clients in by their credentials, and keeps looking: sockets end when their credentials do, unless the client renews
 * them in time, or when they are revoked. Every socket of every namespace is looked at, recovered ones included.
 *
 * @param io - gets `io.revoke()`, and its sockets `socket.credentials`
 * @throws Error with code `SIO_CREDENTIALS_TWICE` when the server has credentials already
 */
export function credentials<
  C extends Credentials,
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
>(
  io: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  options: CredentialsOptions<C>,
): CredentialsHandle<C> {
  if (Object.hasOwn(io, "revoke")) {
    throw Object.assign(new Error("the server has credentials already: call this once for each server"), {
      code: "SIO_CREDENTIALS_TWICE",
    });
  }
  const handle = new Attachment<C>(io as unknown as Server, options);
  Object.assign(io, { revoke: handle.revoke });
  return handle;
}

class Attachment<C extends Credentials> implements CredentialsHandle<C> {
  readonly #io: Server;
  readonly #options: CredentialsOptions<C>;
  readonly #recent = new RecentRevocations();
  readonly #verifier: Verifier<C>;
  readonly #live: LiveCredentials<C>;
  /** What was verified to see whether a socket may be recovered, for its middleware, by request and namespace. */
  readonly #earlier = new WeakMap<IncomingMessage, Map<string, Earlier<C>>>();

  constructor(io: Server, options: CredentialsOptions<C>) {
    this.#io = io;
    this.#options = options;
    this.#verifier = new Verifier(options, this.#recent);
    this.#live = new LiveCredentials(io, this.#recent, options, (socket, payload) => this.#renew(socket, payload));
    io.useAlways((socket, next) => this.#admit(socket, next));
    io.confirmRecovery(({ session, namespace, request, auth }) =>
      this.#mayRecover(session.rooms, { request, namespace: namespace.name, auth, headers: request?.headers ?? {} }),
    );
    io.on(REVOKED, (revocation: unknown) => {
      if (isRevocation(revocation)) this.#remember(revocation);
    });
    // A page of anybody could use the cookies of its visitors.
    if (options.cookie !== undefined) {
      io.configureEngines((engine) => {
        engine.checkOrigin ??= true;
      });
    }
  }

  of(socket: Pick<Socket, "id" | "handshake">): C {
    const credentials = this.#live.get(socket);
    if (credentials === undefined) throw new RefusalError("SIO_UNAUTHORIZED");
    return credentials;
  }

  readonly revoke = async (target: RevocationTarget, options: RevokeOptions = {}): Promise<void> => {
    const keys = keysOf(target);
    if (keys.length === 0) {
      throw Object.assign(new TypeError("nothing to revoke: give a user, a tokenId or a session"), {
        code: "SIO_NOTHING_TO_REVOKE",
      });
    }
    const { rememberRevokedMs = DEFAULT_REMEMBER_REVOKED_MS, revocations } = this.#options;
    const at = Date.now();
    const { how = "rehandshake", reason = "credentials revoked", until = at + rememberRevokedMs } = options;
    const revocation: Revocation = { keys, at, until };
    // First of all: whoever is ended here may be back elsewhere at once.
    const stored = (async () => revocations?.add(revocation))();
    stored.catch(() => {});
    this.#remember(revocation);
    this.#tellOthers(revocation);
    this.#io.endSockets(keys, how, reason);
    await stored;
  };

  #remember(revocation: Revocation): void {
    this.#recent.add(revocation);
    // Whoever left the rooms, or was being let in.
    this.#live.checkRevoked(revocation.keys);
  }

  #tellOthers(revocation: Revocation): void {
    try {
      this.#io.serverSideEmit(REVOKED, revocation);
    } catch (error) {
      this.#io.reportFailure("credentials", error);
    }
  }

  async #admit(socket: Socket, next: Next): Promise<void> {
    const presented = presentedBy(socket, socket.handshake);
    try {
      const credentials = await this.#verdict(presented);
      // Asked anew, the verifier may have changed its mind. Its client may come back, as somebody new.
      if (socket.recovered && !areOf(socket.rooms, credentials)) {
        socket.rehandshake("credentials of another user");
        throw new RefusalError("SIO_FORBIDDEN");
      }
      if (credentials !== undefined) {
        const keys = keysOf(credentials);
        for (const key of keysAmong(socket.rooms)) if (!keys.includes(key)) void socket.leave(key);
        const isValid = await this.#live.set(socket, credentials, this.#verifier.isRenewable(presented));
        if (!isValid) throw new RefusalError("SIO_CREDENTIALS_REVOKED");
      }
    } catch (error) {
      if (!isUnavailable(error)) return next(this.#refuse(error, presented));
      this.#io.reportFailure("credentials", error, socket);
      // As if it was lost: a client that is refused would not try again.
      socket.conn.close();
      return next(error as Error);
    }
    next();
  }

  /** That of the check before a recovery, if there was one: a client asks for a namespace once at a time. */
  #verdict(presented: Presented): Promise<C | undefined> {
    const earlier = this.#earlier.get(presented.request);
    const known = earlier?.get(presented.namespace);
    earlier?.delete(presented.namespace);
    const isFresh = known !== undefined && Math.abs(Date.now() - known.at) < EARLIER_VERDICT_MS;
    return isFresh ? known.verdict : this.#verifier.verify(presented);
  }

  async #mayRecover(rooms: readonly string[], presented: Presented): Promise<boolean> {
    const verdict = this.#verifier.verify(presented);
    const { request, namespace } = presented;
    // A transport may have none; then it is verified twice.
    if (request as unknown) {
      const earlier = this.#earlier.get(request) ?? new Map<string, Earlier<C>>();
      this.#earlier.set(request, earlier.set(namespace, { verdict, at: Date.now() }));
    }
    try {
      if (!areOf(rooms, await verdict)) return false;
      const keys = keysAmong(rooms);
      const times = [...this.#recent.find(keys), ...(await this.#verifier.stored(keys))];
      return times.every((time) => time == null);
    } catch (error) {
      // It is not let in now, and what is stored of it is kept for its next attempt.
      return isUnavailable(error);
    }
  }

  /** A client has answered with what it would send as `auth` now. */
  async #renew(socket: Socket, auth: unknown): Promise<void> {
    const former = this.#live.get(socket);
    if (former === undefined || typeof auth !== "object" || auth === null) return;
    const presented = { ...presentedBy(socket, { auth: auth as Presented["auth"], headers: {} }), headers: {} };
    let renewed: C | undefined;
    try {
      renewed = await this.#verifier.verify(presented);
    } catch (error) {
      if (isUnavailable(error)) this.#io.reportFailure("credentials", error, socket);
      else this.#refuse(error, presented);
      return;
    }
    // Another answer may have been faster.
    const current = this.#live.get(socket);
    if (renewed === undefined || current === undefined || !socket.connected) return;
    if (renewed.user !== current.user) {
      this.#refuse(new RefusalError("SIO_FORBIDDEN"), presented);
      socket.rehandshake("credentials of another user");
    } else if ((renewed.expiresAt ?? Infinity) > (current.expiresAt ?? Infinity)) {
      if (!(await this.#live.set(socket, renewed, true))) socket.rehandshake("credentials revoked");
    }
  }

  /** @returns what the client is told */
  #refuse(error: unknown, { namespace, request }: Presented): RefusalError {
    const refusal = error instanceof RefusalError ? error : new RefusalError("SIO_UNAUTHORIZED", error);
    const { code, cause } = refusal;
    try {
      this.#options.onRefused?.({ code, cause, namespace, request });
    } catch (fault) {
      this.#io.reportFailure("credentials", fault);
    }
    return refusal;
  }
}

function presentedBy(socket: Socket, { auth, headers }: Pick<Handshake, "auth" | "headers">): Presented {
  return { request: socket.request, namespace: socket.nsp.name, auth, headers };
}
