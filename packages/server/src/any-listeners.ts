import type { ListenerGuard } from "./listener-errors.js";
import type { Callback } from "./parts.js";

/** The catch-all listeners of one direction. */
export class AnyListeners {
  /** Handed out live. */
  list: Callback[] = [];

  append(listener: Callback): void {
    this.list.push(listener);
  }

  prepend(listener: Callback): void {
    this.list.unshift(listener);
  }

  /** Removes the first entry of `listener`; without one, all. */
  remove(listener?: Callback): void {
    if (listener === undefined) {
      this.list = [];
      return;
    }
    const index = this.list.indexOf(listener);
    if (index >= 0) this.list.splice(index, 1);
  }

  /** Calls each with the whole event, its name included. */
  call(guard: ListenerGuard, socket: unknown, event: unknown[]): void {
    if (this.list.length === 0) return;
    for (const listener of this.list.slice()) guard.callWithName(listener, socket, event, socket);
  }
}
