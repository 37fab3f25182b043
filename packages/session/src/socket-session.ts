import type { AnyFunction } from "./framework-types.js";
import { noTurn } from "./session-errors.js";
import type { JsonData } from "./json-data.js";
import type { LiveSession } from "./live-session.js";
import type { SessionData } from "./session-store.js";

/** The same type, read-only through and through. */
export type DeepReadonly<T> = T extends AnyFunction
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** Why a session is no more. */
export type SessionEnd = "destroyed" | "expired";

/** What happens to a session while its sockets are there. */
export interface SocketSessionEvents<Data = SessionData> {
  /** Another socket, a request or another node has changed the data. */
  changed: (data: DeepReadonly<Data>) => void;
  /** The session is no more; its sockets are about to be ended. */
  ended: (why: SessionEnd) => void;
}

/**
 * The session of a socket. All methods reject with what the store fails with, and with an `EventError` of code
 * `SIO_SESSION_GONE` when there is no such session, or `SIO_SESSION_READ_ONLY` when the store cannot write.
 *
 * @typeParam Data - what is in it; add to `SessionData` to have it known everywhere
 */
export interface SocketSession<Data = SessionData> {
  /** Its secret id; undefined when the client came without a session. */
  readonly id: string | undefined;
  /** Whether there is such a session as far as is known here. */
  readonly exists: boolean;
  /** The data as it was known last on this node: frozen, and empty when there never was any. Costs nothing. */
  readonly data: DeepReadonly<Data>;
  /**
   * The data to change, within `update` and, with mode `per-event`, within handlers of events.
   *
   * @throws EventError with code `SIO_SESSION_NO_TURN` elsewhere
   */
  readonly draft: Data;
  /** Looks into the store. Resolves to `data`. */
  reload(): Promise<DeepReadonly<Data>>;
  /**
   * Changes the session: waits for its turn, loads, calls `change`, and saves if anything changed. No change of this
   * process is lost, requests included that pass by `SocketSessions.middleware`. Within such a request, or within
   * another change of the same session, it works on what they work on.
   *
   * @param change - changes the object it gets, which holds what JSON can carry; when it throws or rejects nothing is saved
   * @returns the new data
   * @throws EventError with code `SIO_SESSION_BUSY` when too many wait already, `SIO_SESSION_TIMEOUT` when `change` took too long
   */
  update(change: (data: Data) => unknown): Promise<DeepReadonly<Data>>;
  /** Moves its end on, as a request does. */
  touch(): Promise<void>;
  /** Ends it, and with it its sockets on all nodes: this one too, so answer first. */
  destroy(): Promise<void>;
  /** Listeners are called on this node alone; what they throw goes to `onListenerError`. */
  on<Name extends keyof SocketSessionEvents>(event: Name, listener: SocketSessionEvents<Data>[Name]): this;
  off<Name extends keyof SocketSessionEvents>(event: Name, listener: SocketSessionEvents<Data>[Name]): this;
}

/** What is done for the sessions of sockets. */
export interface SocketSessionHost {
  reload(session: SocketSessionState): Promise<void>;
  update(id: string | undefined, change: (data: JsonData) => unknown, by: SocketSessionState): Promise<JsonData>;
  touch(id: string | undefined): Promise<void>;
  destroy(id: string | undefined): Promise<void>;
  draftOf(id: string | undefined): JsonData | undefined;
  report(socket: unknown, event: string, args: readonly unknown[], error: unknown): void;
}

type Listener = (...args: never[]) => unknown;

const NOTHING: Readonly<JsonData> = Object.freeze({});

/** Its events are no events of the socket: a client could send those. */
export class SocketSessionState implements SocketSession<JsonData> {
  readonly id: string | undefined;
  readonly socket: unknown;
  /** Set once the session is known to be there. */
  live: LiveSession | undefined = undefined;
  /** Data of a session that nobody stores. */
  fixed: Readonly<JsonData> | undefined = undefined;
  /** Set when the socket is gone. */
  closed = false;
  readonly #host: SocketSessionHost;
  #listeners: Map<string, Set<Listener>> | undefined = undefined;

  constructor(host: SocketSessionHost, socket: unknown, id: string | undefined) {
    this.#host = host;
    this.socket = socket;
    this.id = id;
  }

  get exists(): boolean {
    return this.fixed !== undefined || this.live?.ended === false;
  }

  get data(): Readonly<JsonData> {
    return this.fixed ?? this.live?.data ?? NOTHING;
  }

  get draft(): JsonData {
    const draft = this.#host.draftOf(this.id);
    if (draft === undefined) throw noTurn();
    return draft;
  }

  async reload(): Promise<Readonly<JsonData>> {
    if (this.fixed === undefined) await this.#host.reload(this);
    return this.data;
  }

  update(change: (data: JsonData) => unknown): Promise<Readonly<JsonData>> {
    return this.#host.update(this.id, change, this);
  }

  touch(): Promise<void> {
    return this.#host.touch(this.id);
  }

  destroy(): Promise<void> {
    return this.#host.destroy(this.id);
  }

  on(event: string, listener: Listener): this {
    const listeners = (this.#listeners ??= new Map<string, Set<Listener>>());
    listeners.set(event, (listeners.get(event) ?? new Set<Listener>()).add(listener));
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#listeners?.get(event)?.delete(listener);
    return this;
  }

  /** Calls the listeners of an event; one that fails keeps nobody from being called. */
  tell(event: keyof SocketSessionEvents, argument: unknown): void {
    if (this.closed) return;
    for (const listener of this.#listeners?.get(event) ?? []) {
      const failed = (error: unknown): void => this.#host.report(this.socket, `session:${event}`, [argument], error);
      try {
        const result = (listener as (argument: unknown) => unknown)(argument);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}
