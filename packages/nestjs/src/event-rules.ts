import "reflect-metadata";
import { checkConcurrency, checkTime } from "./check-options.js";
import { Lane } from "./lane.js";
import { methodsOf } from "./methods-of.js";
import { NEST_KEYS } from "./nest-keys.js";

const CONCURRENCY = Symbol("plugboard.nestjs.concurrency");
const ACK_TIMEOUT = Symbol("plugboard.nestjs.ackTimeout");

/**
 * On a handler: so many events of its name are handled at a time, per socket. On a gateway: so many of all its events. The others
 * wait, and are handled in the order in which they came.
 *
 * @param limit - a whole number from 1 on
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for another limit
 */
export function Concurrency(limit: number): ClassDecorator & MethodDecorator {
  checkConcurrency(limit);
  return ruleDecorator(CONCURRENCY, limit);
}

/** The same as `@Concurrency(1)`: one event after the other, per socket. */
export function Serial(): ClassDecorator & MethodDecorator {
  return Concurrency(1);
}

/**
 * How long a handler, or those of a gateway, may take before the acknowledgement is answered with `SIO_HANDLER_TIMEOUT` in
 * its place, in milliseconds; 0 for no limit. Default: the server's option `handlerTimeout`.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for what is no time
 */
export function AckTimeout(timeoutMs: number): ClassDecorator & MethodDecorator {
  checkTime("@AckTimeout", timeoutMs);
  return ruleDecorator(ACK_TIMEOUT, timeoutMs);
}

function ruleDecorator(key: symbol, value: number): ClassDecorator & MethodDecorator {
  return (target: object, _name?: unknown, descriptor?: PropertyDescriptor): void => {
    Reflect.defineMetadata(key, value, (descriptor?.value as object | undefined) ?? target);
  };
}

/** What the events of one name have to pass. */
interface Rule {
  /** What a lane is for, the gateway or the handler, and how many it lets through; in the order in which they are entered. */
  readonly lanes: ReadonlyMap<object, number>;
  readonly timeoutMs: number | undefined;
}

/** What we need of a handler: the name or the pattern that it was subscribed with. */
interface SubscribedHandler {
  readonly message: unknown;
}

/** What the decorators of the gateways of a namespace say about how events are handled. */
export class EventRules {
  readonly #rules = new Map<unknown, Rule>();
  readonly #concurrency: number;

  /** @param concurrency - of all events of a socket */
  constructor(types: readonly (new (...args: never[]) => object)[], concurrency: number) {
    this.#concurrency = concurrency;
    for (const type of types) this.#read(type);
  }

  #read(type: new (...args: never[]) => object): void {
    for (const method of methodsOf(type.prototype as object)) {
      const message: unknown = Reflect.getMetadata(NEST_KEYS.pattern, method);
      if (message === undefined) continue;
      const known = this.#rules.get(message);
      const lanes = new Map(known?.lanes);
      for (const holder of [type, method]) {
        const limit = Reflect.getMetadata(CONCURRENCY, holder) as number | undefined;
        if (limit !== undefined) lanes.set(holder, limit);
      }
      const timeoutMs = (Reflect.getMetadata(ACK_TIMEOUT, method) ?? Reflect.getMetadata(ACK_TIMEOUT, type)) as
        number | undefined;
      if (lanes.size === 0 && timeoutMs === undefined) continue;
      this.#rules.set(message, { lanes, timeoutMs: timeoutMs ?? known?.timeoutMs });
    }
  }

  /** Milliseconds that these handlers of an event may take; undefined when nobody says anything. */
  timeoutOf(handlers: readonly SubscribedHandler[]): number | undefined {
    if (this.#rules.size === 0) return undefined;
    return handlers
      .map(({ message }) => this.#rules.get(message)?.timeoutMs)
      .find((timeoutMs) => timeoutMs !== undefined);
  }

  /** Lanes that events with these handlers have to pass, each with how many it lets through; undefined when there are none. */
  lanesOf(handlers: readonly SubscribedHandler[]): ReadonlyMap<object, number> | undefined {
    const isLimited = this.#concurrency !== Number.POSITIVE_INFINITY;
    if (this.#rules.size === 0 && !isLimited) return undefined;
    const limits = new Map<object, number>(isLimited ? [[this, this.#concurrency]] : []);
    for (const { message } of handlers) {
      for (const [holder, limit] of this.#rules.get(message)?.lanes ?? []) limits.set(holder, limit);
    }
    return limits.size === 0 ? undefined : limits;
  }
}

/** The lanes of one socket. */
export class SocketLanes {
  readonly #lanes = new Map<object, Lane>();

  /** Runs something once it is its turn in all of these. */
  async run<T>(limits: ReadonlyMap<object, number>, work: () => Promise<T>): Promise<T> {
    for (const [holder, limit] of limits) {
      if (!this.#lanes.has(holder)) this.#lanes.set(holder, new Lane(limit));
    }
    // Always in the same order, so that no two events wait for each other.
    const lanes = [...this.#lanes].filter(([holder]) => limits.has(holder)).map(([, lane]) => lane);
    for (const lane of lanes) await lane.enter();
    try {
      return await work();
    } finally {
      for (const lane of lanes) lane.leave();
    }
  }
}
