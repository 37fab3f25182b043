import { EventEmitter } from "node:events";
import { AnyListeners } from "./any-listeners.js";
import type { Callback } from "./parts.js";

/**
 * An emitter that also keeps listeners for every event, in each direction (spec/server.md 3.6). Who extends it calls them,
 * and finds them undefined as long as nobody has asked for them.
 */
export class CatchAllEmitter extends EventEmitter {
  _any: AnyListeners | undefined = undefined;
  _anyOutgoing: AnyListeners | undefined = undefined;

  onAny(listener: Callback): this {
    (this._any ??= new AnyListeners()).append(listener);
    return this;
  }

  prependAny(listener: Callback): this {
    (this._any ??= new AnyListeners()).prepend(listener);
    return this;
  }

  offAny(listener?: Callback): this {
    this._any?.remove(listener);
    return this;
  }

  listenersAny(): Callback[] {
    return (this._any ??= new AnyListeners()).list;
  }

  onAnyOutgoing(listener: Callback): this {
    (this._anyOutgoing ??= new AnyListeners()).append(listener);
    return this;
  }

  prependAnyOutgoing(listener: Callback): this {
    (this._anyOutgoing ??= new AnyListeners()).prepend(listener);
    return this;
  }

  offAnyOutgoing(listener?: Callback): this {
    this._anyOutgoing?.remove(listener);
    return this;
  }

  listenersAnyOutgoing(): Callback[] {
    return (this._anyOutgoing ??= new AnyListeners()).list;
  }
}
