import { EventError, type Socket } from "@plugboard/server";
import type { ExternalContextCreator } from "@nestjs/core";
import { isObservable, Subscription, type Observable } from "rxjs";
import { tellByFilters } from "./connection-filters.js";
import { Backlog, sizeOf } from "./backlog.js";
import type { Counters } from "./counters.js";
import { EventCall, type Ack } from "./event-call.js";
import { inSocketContext } from "./current-socket.js";
import { DEFAULT_HANDLER_TIMEOUT_MS, EventDeadline, MAX_TIMER_MS } from "./event-deadline.js";
import type { EventFailures } from "./event-failures.js";
import { SocketLanes, type EventRules } from "./event-rules.js";
import type { OwnOptions } from "./options.js";
import { releaseInstances } from "./scoped-instances.js";
import { isThenable } from "./thenable.js";

/** A handler as Nest gives it, bound to its gateway and the socket. */
export interface MessageHandler {
  readonly message: unknown;
  readonly callback: (...args: unknown[]) => unknown;
  readonly isAckHandledManually?: boolean;
}

/** What connections of one server share. */
export interface ConnectionContext {
  readonly options: OwnOptions;
  readonly failures: EventFailures;
  /** Makes what runs the filters of gateways. */
  readonly contextCreator: () => ExternalContextCreator;
  /** Undefined unless somebody wants numbers. */
  counters?: Counters | undefined;
  /** Counts what is still going on at shutdown. */
  track(work: Promise<unknown>): void;
}

/** What a gateway may answer an event with: another event. */
interface EventReply {
  readonly event: string;
  readonly data?: unknown;
}

/** Chars of the name of an event that a regular expression is asked about: with the longest names many take minutes. */
const MAX_MATCHED_NAME_LENGTH = 256;

/** Bytes that may wait of all the events of a client: those of so many messages of the greatest size. */
const MAX_WAITING_MESSAGES = 64;
const DEFAULT_MAX_MESSAGE_BYTES = 1e6;

/** An event that came too early. */
interface WaitingEvent {
  readonly size: number;
  deliver(): Promise<unknown> | undefined;
}

const connections = new WeakMap<object, Connection>();

/** A socket, with the handlers of all gateways of its namespace. */
export class Connection {
  readonly socket: Socket;
  readonly #context: ConnectionContext;
  readonly #handlers = new Map<string, MessageHandler[]>();
  #patterns: MessageHandler[] | undefined = undefined;
  #onDisconnect: ((reason: unknown) => void)[] = [];
  #subscriptions: Set<Subscription> | undefined = undefined;
  /** Handlers of `handleConnection` that are not over, while Nest calls them. */
  #pending: PromiseLike<unknown>[] = [];
  /** By gateway: what to call when Nest has made its instance for this socket, and called its `handleConnection`. */
  #expected: Map<object, (work: unknown) => void> | undefined = undefined;
  /** Events that came before they were over; undefined when all are. */
  #waiting: WaitingEvent[] | undefined = undefined;
  readonly #backlog: Backlog;
  readonly #rules: EventRules;
  #lanes: SocketLanes | undefined = undefined;
  /** Events that wait for their turn, or have it. */
  #inTurn = 0;
  /** Why the socket has left. */
  reason: unknown = undefined;

  constructor(socket: Socket, context: ConnectionContext, rules: EventRules) {
    this.socket = socket;
    this.#context = context;
    this.#rules = rules;
    this.#backlog = Backlog.of(socket.conn);
    connections.set(socket, this);
  }

  static of(socket: unknown): Connection | undefined {
    return typeof socket === "object" && socket !== null ? connections.get(socket) : undefined;
  }

  // While Nest binds its gateways.

  addHandlers(handlers: readonly MessageHandler[]): void {
    for (const handler of handlers) {
      if (typeof handler.message !== "string" || handler.message.endsWith("*")) {
        (this.#patterns ??= []).push(handler);
        continue;
      }
      const sameEvent = this.#handlers.get(handler.message);
      if (sameEvent === undefined) this.#handlers.set(handler.message, [handler]);
      else sameEvent.push(handler);
    }
  }

  addDisconnect(listener: (reason: unknown) => void): void {
    this.#onDisconnect.push(listener);
  }

  /** Notes that `handleConnection` of a gateway will be called later: Nest makes an instance for each socket. */
  expectConnecting(gateway: object): void {
    const later = new Promise((resolve) => (this.#expected ??= new Map()).set(gateway, resolve));
    this.#pending.push(later);
  }

  /**
   * Calls `handleConnection` of a gateway, and notes what comes of it.
   *
   * @param type - by which it is expected, if it is
   * @returns what Nest gets, which neither waits nor catches
   */
  connecting(type: object, gateway: object, hook: object, call: () => unknown): unknown {
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      result = Promise.reject(error as Error);
    }
    const expected = this.#expected?.get(type);
    if (!isThenable(result)) {
      expected?.(undefined);
      return result;
    }
    const work = Promise.resolve(result).catch((error: unknown) => this.#refuseByFilters(gateway, hook, error));
    if (expected === undefined) this.#pending.push(work);
    else expected(work);
    return undefined;
  }

  /** Called when all gateways have bound their handlers. */
  start(): void {
    const { socket } = this;
    for (const [event, handlers] of this.#handlers) {
      socket.on(event, (...args: unknown[]) => this.#receive(event, handlers, args));
    }
    const refusesUnknown = this.#context.options.unknownEvents === "ack-error";
    if (this.#patterns !== undefined || refusesUnknown) {
      // Clients may send a number for a name.
      socket.onUnheard((event: unknown, ...args: unknown[]) => this.#hearOthers(String(event), args, refusesUnknown));
    }
    socket.once("disconnect", (reason) => this.#end(reason));
    if (this.#pending.length > 0) this.#awaitConnection();
  }

  /** Of events that no gateway has subscribed to by name. */
  #hearOthers(event: string, args: unknown[], refusesUnknown: boolean): Promise<unknown> | undefined {
    const handlers = this.#patterns?.filter(({ message }) => matches(message, event)) ?? [];
    if (handlers.length > 0) return this.#receive(event, handlers, args);
    const ack: unknown = args.pop();
    if (!refusesUnknown || typeof ack !== "function") return undefined;
    const error = new EventError("SIO_UNKNOWN_EVENT", `nobody handles "${event}"`);
    new EventCall(this.socket, event, args, ack as Ack, this.#context.failures).fail(error);
    return undefined;
  }

  #awaitConnection(): void {
    const { options, failures } = this.#context;
    const all = Promise.all(this.#pending).then(() => this.#open());
    this.#pending = [];
    this.#context.track(all);
    if (!options.awaitConnection) return;
    this.#waiting = [];
    const timeoutMs = options.connectionTimeoutMs;
    if (timeoutMs === 0 || timeoutMs > MAX_TIMER_MS) return;
    const timer = setTimeout(() => {
      if (!this.socket.connected) return;
      failures.log(new Error(`handleConnection took longer than ${timeoutMs} ms`));
      this.refuse(new EventError("SIO_HANDLER_TIMEOUT", "the connection took too long"));
    }, timeoutMs);
    timer.unref();
    const clear = (): void => clearTimeout(timer);
    void all.then(clear, clear);
  }

  /** Disconnects a socket whose `handleConnection` has failed, and tells the client why. */
  refuse(error: unknown): void {
    this.#endWaiting();
    if (!this.socket.connected) return;
    this.#callOfConnection().fail(error);
    this.socket.disconnect();
  }

  /** The same, where filters of the gateway say what the client is told. */
  async #refuseByFilters(gateway: object, hook: object, error: unknown): Promise<void> {
    const { options, contextCreator } = this.#context;
    if (options.compatAcks) return this.refuse(error);
    if (!this.socket.connected) return;
    try {
      await tellByFilters(contextCreator(), gateway, hook, this.#callOfConnection(), error);
    } catch (fault) {
      this.#context.failures.log(fault);
    }
    // Until now its events have waited.
    this.#endWaiting();
    this.socket.disconnect();
  }

  #callOfConnection(): EventCall {
    return new EventCall(this.socket, "connection", [], undefined, this.#context.failures);
  }

  /** Calls `handleDisconnect` of a gateway: who does otherwise neither awaits it nor catches what it throws. */
  disconnecting(call: () => unknown): void {
    const { failures } = this.#context;
    try {
      const result = call();
      if (!isThenable(result)) return;
      this.#context.track(Promise.resolve(result).catch((error: unknown) => failures.log(error)));
    } catch (error) {
      failures.log(error);
    }
  }

  #open(): void {
    for (const event of this.#endWaiting()) {
      if (!this.socket.connected) return;
      const running = event.deliver();
      if (running !== undefined) this.#context.track(running);
    }
  }

  #endWaiting(): readonly WaitingEvent[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { size } of waiting) this.#backlog.bytes -= size;
    return waiting;
  }

  // Events.

  #receive(event: string, handlers: readonly MessageHandler[], args: unknown[]): Promise<unknown> | undefined {
    const last = args.at(-1);
    const given = typeof last === "function" ? (args.pop(), last as Ack) : undefined;
    const ack = this.#context.counters?.countEvent(given) ?? given;
    const deliver = (): Promise<unknown> | undefined => this.#deliver(event, handlers, args, ack);
    const waiting = this.#waiting;
    if (waiting === undefined) return deliver();
    const size = sizeOf(args);
    if (this.#isFlooded(waiting.length, size, "came before handleConnection was over")) return undefined;
    this.#backlog.bytes += size;
    waiting.push({ size, deliver });
    return undefined;
  }

  /** Disconnects a client that has sent more than may wait. */
  #isFlooded(waiting: number, size: number, why: string): boolean {
    const { maxHttpBufferSize = DEFAULT_MAX_MESSAGE_BYTES } = this.socket.nsp.server.opts;
    const isHuge = this.#backlog.bytes + size > MAX_WAITING_MESSAGES * maxHttpBufferSize;
    if (waiting < this.#context.options.maxWaitingEvents && !isHuge) return false;
    const what = isHuge ? `${this.#backlog.bytes} bytes of a client` : `${waiting} events of a socket`;
    this.#context.failures.log(new Error(`more than ${what} ${why}`));
    this.socket.disconnect(true);
    return true;
  }

  /** Has an event handled when it is its turn, unless that comes too late. */
  #deliver(
    event: string,
    handlers: readonly MessageHandler[],
    args: unknown[],
    ack: Ack | undefined,
  ): Promise<unknown> | undefined {
    const deadline = this.#deadlineOf(event, handlers, args, ack);
    const handle = (): Promise<unknown> => {
      if (deadline?.isOver === true) return Promise.resolve();
      return inSocketContext(this.socket, () => this.#handle(event, handlers, args, deadline?.ack ?? ack));
    };
    const limits = this.#rules.lanesOf(handlers);
    if (limits === undefined) return handle();
    // The first one does not wait.
    const size = this.#inTurn === 0 ? 0 : sizeOf(args);
    if (this.#isFlooded(this.#inTurn, size, "wait for their turn")) return undefined;
    this.#inTurn++;
    this.#backlog.bytes += size;
    this.#lanes ??= new SocketLanes();
    return this.#lanes.run(limits, handle).finally(() => {
      this.#inTurn--;
      this.#backlog.bytes -= size;
    });
  }

  #deadlineOf(
    event: string,
    handlers: readonly MessageHandler[],
    args: unknown[],
    ack: Ack | undefined,
  ): EventDeadline | undefined {
    const { options, failures } = this.#context;
    if (ack === undefined || options.compatAcks) return undefined;
    const { handlerTimeout = DEFAULT_HANDLER_TIMEOUT_MS } = this.socket.nsp.server.opts;
    const timeoutMs = this.#rules.timeoutOf(handlers) ?? handlerTimeout;
    if (timeoutMs <= 0 || timeoutMs > MAX_TIMER_MS) return undefined;
    return new EventDeadline(ack, timeoutMs, () => {
      failures.log(new Error(`"${event}" took longer than ${timeoutMs} ms`));
      const error = new EventError("SIO_HANDLER_TIMEOUT", `"${event}" took too long`);
      new EventCall(this.socket, event, args, ack, failures).fail(error);
    });
  }

  #handle(event: string, handlers: readonly MessageHandler[], args: unknown[], ack: Ack | undefined): Promise<unknown> {
    const [only] = handlers;
    if (handlers.length === 1) return this.#run(only as MessageHandler, event, args, ack, ack);
    // One answer for all: that of the first who has one; nothing, when all are through and none has.
    let running = handlers.length;
    const nothing = ack && ((): void => void (--running === 0 && ack()));
    return Promise.all(handlers.map((handler) => this.#run(handler, event, args, ack, nothing)));
  }

  async #run(
    { callback, isAckHandledManually }: MessageHandler,
    event: string,
    args: unknown[],
    ack: Ack | undefined,
    nothing: Ack | undefined,
  ): Promise<void> {
    const call = new EventCall(this.socket, event, args, ack, this.#context.failures);
    if (isAckHandledManually === true) call.isAckTaken = true;
    try {
      const result: unknown = await callback(call.payload, ack, call);
      if (isObservable(result)) await this.#subscribe(result, call, nothing);
      else this.#answer(result, call, nothing);
    } catch (error) {
      call.fail(error);
    }
  }

  #answer(value: unknown, call: EventCall, nothing: Ack | undefined): void {
    const { ack, reply } = call;
    const isEvent = isEventReply(value);
    if (isEvent) this.socket.emit(value.event, value.data);
    if (ack === undefined || reply === undefined || call.isAckTaken) return;
    if (this.#context.options.compatAcks) {
      if (!isEvent && value !== undefined && value !== null) reply(value);
      return;
    }
    const answer = isEvent ? value.data : value;
    if (answer === undefined && reply === ack) nothing?.();
    else reply(answer);
  }

  /** Each event that comes out of an observable is sent; of the other values, the acknowledgement gets what the options say. */
  #subscribe(values: Observable<unknown>, call: EventCall, nothing: Ack | undefined): Promise<void> {
    const which = this.#context.options.acks.observable ?? "first";
    const collected: unknown[] = [];
    const subscriptions = (this.#subscriptions ??= new Set());
    const subscription = new Subscription();
    subscriptions.add(subscription);
    // What an observer throws would end the process: RxJS hands it to nobody.
    const contain = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        call.fail(error);
      }
    };
    return new Promise((resolve) => {
      subscription.add(() => {
        subscriptions.delete(subscription);
        resolve();
      });
      const values$ = values.subscribe({
        next: (value) =>
          contain(() => {
            if (isEventReply(value)) this.socket.emit(value.event, value.data);
            else if (which === "first" && value !== undefined) this.#answer(value, call, undefined);
            else if (value !== undefined) collected.push(value);
          }),
        error: (error: unknown) => {
          call.fail(error);
          subscription.unsubscribe();
        },
        complete: () => {
          // Ignored if there was an answer.
          contain(() => this.#answer(which === "all" ? collected : collected.at(-1), call, nothing));
          subscription.unsubscribe();
        },
      });
      subscription.add(values$);
      // Its client has left before it was there. Interceptors, which call their handler late, still get to it.
      if (!this.socket.connected) setImmediate(() => subscription.unsubscribe());
    });
  }

  #end(reason: unknown): void {
    this.#endWaiting();
    this.reason = reason;
    for (const subscription of this.#subscriptions ?? []) subscription.unsubscribe();
    for (const listener of this.#onDisconnect) listener(reason);
    releaseInstances(this.socket);
  }
}

function isEventReply(value: unknown): value is EventReply {
  return typeof value === "object" && value !== null && typeof (value as Partial<EventReply>).event === "string";
}

/** `*` stands for whatever follows. */
function matches(pattern: unknown, event: string): boolean {
  if (pattern instanceof RegExp) {
    if (event.length > MAX_MATCHED_NAME_LENGTH) return false;
    return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).test(event);
  }
  return typeof pattern === "string" && event.startsWith(pattern.slice(0, -1));
}
