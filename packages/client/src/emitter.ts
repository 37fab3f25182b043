/** A listener of an {@link Emitter}. */
export type Listener = (...args: any[]) => unknown;

/** A listener that runs once is wrapped; `fn` is what the user handed in. */
interface OnceListener extends Listener {
  fn?: Listener;
}

/**
 * The emitter behind managers, sockets, engines and transports (spec/client.md 1.8). Works in every host, so it is not
 * Node's. Lists are replaced and never changed, so that emitting needs no copy: what a listener adds or removes counts
 * from the next event on. An `error` nobody listens to does not throw; a listener that throws ends the round.
 */
export class Emitter {
  declare addEventListener: this["on"];
  declare removeListener: this["off"];
  declare removeAllListeners: this["off"];
  declare removeEventListener: this["off"];
  /** As `emit`, also where a subclass gave `emit` another meaning (a socket's sends to the server). */
  declare emitReserved: (event: string | symbol, ...args: unknown[]) => this;

  // Not `#lists`: a private member does not work behind a Proxy, which is what frameworks with reactive state put around a
  // socket. The same goes for all that extends this class.
  readonly _lists: Map<string | symbol, readonly Listener[]> = new Map();

  /** Adds a listener. The same one may be added several times. */
  on(event: string | symbol, listener: Listener): this {
    // Not by spreading, which leaves room for sixteen more: there are many lists, and mostly of one.
    this._lists.set(event, this.listeners(event).concat(listener));
    return this;
  }

  /** Adds a listener before those there are. */
  prepend(event: string | symbol, listener: Listener): this {
    this._lists.set(event, [listener].concat(this.listeners(event)));
    return this;
  }

  /** Adds a listener that is removed before it runs. */
  once(event: string | symbol, listener: Listener): this {
    const once: OnceListener = (...args) => {
      this.off(event, once);
      listener.apply(this, args);
    };
    once.fn = listener;
    return this.on(event, once);
  }

  /** Removes the first registration of a listener; without a listener all of that event; without an event all. */
  off(event?: string | symbol, listener?: Listener): this {
    const lists = this._lists;
    if (event === undefined) lists.clear();
    else {
      const list = this.listeners(event);
      const index = list.findIndex((entry: OnceListener) => entry === listener || entry.fn === listener);
      const rest = list.filter((_, i) => i !== index);
      if (listener && rest.length > 0) lists.set(event, rest);
      else lists.delete(event);
    }
    return this;
  }

  /** Calls the listeners in the order they were added. */
  emit(event: string | symbol, ...args: unknown[]): this {
    this._dispatch(event, args);
    return this;
  }

  /** As `emitReserved`, for what comes with every packet: one argument at most, and no list is made of it. */
  _tell(event: string, value?: unknown): void {
    const list = this._lists.get(event);
    if (list !== undefined) for (const listener of list) listener.call(this, value);
  }

  /** As `emitReserved`, for arguments that are a list already and, if need be, for another `this`. */
  _dispatch(event: string | symbol, args: unknown[], self: unknown = this): void {
    const list = this._lists.get(event);
    if (list !== undefined) for (const listener of list) listener.apply(self, args);
  }

  /** The listeners of an event, wrappers of `once` included. The list is not to be changed. */
  listeners(event: string | symbol): readonly Listener[] {
    return this._lists.get(event) ?? [];
  }

  /** Whether an event has listeners. */
  hasListeners(event: string | symbol): boolean {
    return this._lists.has(event);
  }

  static {
    const { prototype } = this;
    prototype.addEventListener = prototype.on;
    prototype.removeListener = prototype.removeAllListeners = prototype.removeEventListener = prototype.off;
    prototype.emitReserved = prototype.emit;
  }
}

/** Adds listeners of several events. Returns what removes them. */
export function subscribe(target: Emitter, listeners: Readonly<Record<string, Listener>>): () => void {
  for (const event in listeners) target.on(event, listeners[event] as Listener);
  return () => {
    for (const event in listeners) target.off(event, listeners[event]);
  };
}
