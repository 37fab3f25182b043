import type { Socket } from "@plugboard/server";
import { isObservable, Subscription, type Observable } from "rxjs";
import { EventCall, type Ack } from "./event-call.js";
import type { EventFailures } from "./event-failures.js";
import type { OwnOptions } from "./options.js";
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
  /** Counts what is still going on at shutdown. */
  track(work: Promise<unknown>): void;
}

/** What a gateway may answer an event with: another event. */
interface EventReply {
  readonly event: string;
  readonly data?: unknown;
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
  #waiting: (() => unknown)[] | undefined = undefined;

  constructor(socket: Socket, context: ConnectionContext) {
    this.socket = socket;
    this.#context = context;
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

  /** Notes what `handleConnection` of a gateway has returned, or thrown. */
  addConnecting(gateway: object, work: unknown): void {
    const expected = this.#expected?.get(gateway);
    if (expected !== undefined) return expected(work);
    if (isThenable(work)) this.#pending.push(work);
  }

  /** Called when all gateways have bound their handlers. */
  start(): void {
    const { socket } = this;
    for (const [event, handlers] of this.#handlers) {
      socket.on(event, (...args: unknown[]) => this.#receive(event, handlers, args));
    }
    if (this.#patterns !== undefined) this.#listenForPatterns(this.#patterns);
    socket.once("disconnect", (reason) => this.#end(reason));
    if (this.#pending.length > 0) this.#awaitConnection();
  }

  #listenForPatterns(patterns: readonly MessageHandler[]): void {
    this.socket.use(([event, ...args], next) => {
      next();
      if (this.#handlers.has(event)) return;
      const handlers = patterns.filter(({ message }) => matches(message, event));
      if (handlers.length === 0) return;
      const running = this.#receive(event, handlers, args);
      if (running !== undefined) this.#context.track(running);
    });
  }

  #awaitConnection(): void {
    const { options, failures } = this.#context;
    const fail = (error: unknown): void => this.refuse(error);
    const all = Promise.all(this.#pending).then(
      () => this.#open(),
      (error: unknown) => fail(error),
    );
    // Each may fail, and only the first is heard of.
    for (const work of this.#pending) void Promise.resolve(work).catch(() => {});
    this.#pending = [];
    this.#context.track(all);
    if (!options.awaitConnection) return;
    this.#waiting = [];
    if (options.connectionTimeoutMs === 0) return;
    const timer = setTimeout(() => {
      failures.log(new Error(`handleConnection took longer than ${options.connectionTimeoutMs} ms`));
      this.refuse(undefined);
    }, options.connectionTimeoutMs);
    timer.unref();
    void all.finally(() => clearTimeout(timer));
  }

  /** Disconnects a socket whose `handleConnection` has failed, and tells the client why. */
  refuse(error: unknown): void {
    this.#waiting = undefined;
    if (!this.socket.connected) return;
    new EventCall(this.socket, "connection", [], undefined, this.#context.failures).fail(error);
    this.socket.disconnect();
  }

  #open(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const deliver of waiting ?? []) {
      if (!this.socket.connected) return;
      const running = deliver() as Promise<unknown> | undefined;
      if (running !== undefined) this.#context.track(running);
    }
  }

  // Events.

  #receive(event: string, handlers: readonly MessageHandler[], args: unknown[]): Promise<unknown> | undefined {
    const last = args.at(-1);
    const ack = typeof last === "function" ? (args.pop(), last as Ack) : undefined;
    const deliver = (): Promise<unknown> => this.#deliver(event, handlers, args, ack);
    const waiting = this.#waiting;
    if (waiting === undefined) return deliver();
    if (waiting.length >= this.#context.options.maxWaitingEvents) {
      this.#context.failures.log(new Error(`more than ${waiting.length} events came before handleConnection was over`));
      this.socket.disconnect(true);
      return undefined;
    }
    waiting.push(deliver);
    return undefined;
  }

  #deliver(
    event: string,
    handlers: readonly MessageHandler[],
    args: unknown[],
    ack: Ack | undefined,
  ): Promise<unknown> {
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
    });
  }

  #end(reason: unknown): void {
    this.#waiting = undefined;
    for (const subscription of this.#subscriptions ?? []) subscription.unsubscribe();
    for (const listener of this.#onDisconnect) listener(reason);
  }
}

function isEventReply(value: unknown): value is EventReply {
  return typeof value === "object" && value !== null && typeof (value as Partial<EventReply>).event === "string";
}

/** `*` stands for whatever follows. */
function matches(pattern: unknown, event: string): boolean {
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, "")).test(event);
  return typeof pattern === "string" && event.startsWith(pattern.slice(0, -1));
}
