import type { Callback } from "./parts.js";

/** What a server does to its main namespace: the emitter is the namespace, and so are rooms and broadcasts. */
const FORWARDED_METHODS = [
  "addListener",
  "compress",
  "allSockets",
  "disconnectSockets",
  "emit",
  "eventNames",
  "except",
  "fetchSockets",
  "getMaxListeners",
  "in",
  "listenerCount",
  "listeners",
  "off",
  "on",
  "once",
  "prependListener",
  "prependOnceListener",
  "rawListeners",
  "removeAllListeners",
  "removeListener",
  "serverSideEmit",
  "serverSideEmitWithAck",
  "setMaxListeners",
  "socketsJoin",
  "socketsLeave",
  "timeout",
  "to",
] as const;

const FORWARDED_GETTERS = ["local", "volatile"] as const;

interface Front {
  readonly sockets: unknown;
}

/** Gives a server class the methods that stand for those of its main namespace, whose results they return. */
export function forwardToMainNamespace(prototype: Front): void {
  for (const name of FORWARDED_METHODS) {
    const value = function (this: Front, ...args: unknown[]): unknown {
      const namespace = this.sockets as Record<string, Callback>;
      return namespace[name]!(...args);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
  for (const name of FORWARDED_GETTERS) {
    const get = function (this: Front): unknown {
      return (this.sockets as Record<string, unknown>)[name];
    };
    Object.defineProperty(prototype, name, { get, configurable: true });
  }
}
