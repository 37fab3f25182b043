import { Draft } from "./draft.js";
import type { AnyFunction, OfRequest, SessionResponse } from "./framework-types.js";
import { holdingOf, holdings, type Change, type Holding } from "./holding.js";
import { copyOf, replaceData, textOf, type JsonData } from "./json-data.js";
import { gone } from "./session-errors.js";
import type { Turn, TurnLimits, Turns } from "./turns.js";

/** What is used of a request once its session is there. */
export interface SessionRequest {
  emit?: AnyFunction;
  session?: object | null | undefined;
}

interface SavableSession {
  save?(callback: (error?: unknown) => void): unknown;
}

/** Ids of the sessions that requests came with, by request and by what they got as their session. */
const foundIds = new WeakMap<object, string>();

/** Id of the session that was there when a request began; undefined for one that got a new one. */
export function foundSessionId(request: object): string | undefined {
  const { session } = request as SessionRequest;
  return foundIds.get(request) ?? (session ? foundIds.get(session) : undefined);
}

function ownSessionOf({ session }: SessionRequest): object | null | undefined {
  return session;
}

/**
 * An HTTP request between the loading of its session and the end of its response, by when the session middleware has
 * saved it. With limits it has the turn with the session for that time.
 */
export class RequestScope implements Holding {
  readonly turns: Turns;
  readonly parent: Holding | undefined;
  id: string | undefined = undefined;
  ended = false;
  readonly #request: SessionRequest;
  readonly #response: SessionResponse;
  readonly #sessionOf: OfRequest<object | null | undefined>;
  readonly #limits: TurnLimits | undefined;
  #turn: Turn | undefined = undefined;
  #loaded: string | undefined = undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param limits - of the turn it takes; undefined for a request that takes none
   * @param sessionOf - the session of the request, as it is now
   */
  constructor(
    turns: Turns,
    request: SessionRequest,
    response: SessionResponse,
    limits: TurnLimits | undefined,
    sessionOf: OfRequest<object | null | undefined> = ownSessionOf,
  ) {
    this.turns = turns;
    this.parent = holdings.getStore();
    this.#request = request;
    this.#response = response;
    this.#limits = limits;
    this.#sessionOf = sessionOf;
    // Events of a request, such as the end of its body, come from outside.
    const { emit } = request;
    if (emit !== undefined && limits !== undefined) {
      request.emit = (...args) => this.enter(() => Reflect.apply(emit, request, args));
    }
    // The session middleware puts its own around this one and calls it when everything is saved.
    const { end } = response;
    response.end = (...args) => {
      const result: unknown = Reflect.apply(end, response, args);
      this.end();
      return result;
    };
  }

  get open(): boolean {
    return this.#turn !== undefined && !this.#turn.over;
  }

  /** Whether its session was destroyed by others while it had the turn: saving it would bring it back. */
  get isVoid(): boolean {
    return this.#turn?.destroyed ?? false;
  }

  /** Runs code within this request. */
  enter<T>(code: () => T): T {
    return holdings.run(this, code);
  }

  /** Whatever ends the response does it within this request. */
  followTo(response: SessionResponse): void {
    const { end } = response;
    response.end = (...args) => this.enter((): unknown => Reflect.apply(end, response, args));
  }

  /** Begins with the session of this id; undefined when there is no need to wait. */
  begin(id: string): Promise<void> | undefined {
    this.id = id;
    // Several servers of an application may each stand around its requests: the outermost has the turn for all.
    if (this.#limits === undefined || holdingOf(this.turns, id) !== undefined) return undefined;
    return this.turns.take(id, this.#limits).then((turn) => {
      this.#turn = turn;
      if (this.ended) turn.end();
    });
  }

  /** Notes what the session was when it was loaded. */
  loaded(session: object | null | undefined): void {
    if (!session || this.id === undefined) return;
    this.#loaded = textOf(session);
    foundIds.set(this.#request, this.id).set(session, this.id);
  }

  /** Whether this is its session, about to be stored. */
  isOf(id: string, session: object): boolean {
    return !this.ended && this.id === id && this.#sessionOf(this.#request) === session;
  }

  isUnchanged(session: object): boolean {
    return this.#loaded === textOf(session);
  }

  /** Notes what the session was when it was stored last. */
  stored(session: object): void {
    this.#loaded = textOf(session);
  }

  /** Calls back when the response has gone out, or after this time. */
  whenAnswered(callback: () => void, timeoutMs: number): void {
    let called = false;
    const call = (): void => {
      clearTimeout(timer);
      if (!called) callback();
      called = true;
    };
    const timer = setTimeout(call, timeoutMs);
    this.#response.once("close", call);
  }

  end(): void {
    this.ended = true;
    this.#turn?.end();
  }

  apply(change: Change): Promise<JsonData> {
    const done = this.#last.then(() => this.#apply(change));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Changes the session that the request has, unsaved changes of the handler included, and saves it. */
  async #apply(change: Change): Promise<JsonData> {
    const session = this.#sessionOf(this.#request);
    const turn = this.#turn;
    if (!session || turn === undefined) throw gone();
    const draft = new Draft(this.turns, turn, this.id as string, copyOf(session));
    await draft.run(change);
    const text = textOf(draft.data);
    replaceData(session, draft.data);
    const { save } = session as SavableSession;
    if (typeof save === "function") {
      await new Promise<void>((resolve, reject) => {
        save.call(session, (error) => (error ? reject(error as Error) : resolve()));
      });
    }
    return JSON.parse(text) as JsonData;
  }
}

/** The request within which the code runs, if it goes on. */
export function currentScope(turns: Turns): RequestScope | undefined {
  let holding = holdings.getStore();
  while (holding !== undefined && !(holding instanceof RequestScope && holding.turns === turns))
    holding = holding.parent;
  return holding?.ended ? undefined : holding;
}
