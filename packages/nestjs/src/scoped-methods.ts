import { Logger, type ArgumentsHost } from "@nestjs/common";
import { currentSocket, trackSockets } from "./current-socket.js";
import { eventCallIn } from "./event-call.js";
import { NEST_KEYS } from "./nest-keys.js";
import { instanceFor, type ScopedProvider, type ScopedWrapper } from "./scoped-instances.js";

/** A method that Nest calls. */
export type Method = (this: object, ...args: unknown[]) => unknown;

/** What stands in for instances, by what Nest calls in their place. From Nest 12 on it calls the instances themselves. */
const standIns = new WeakMap<object, ScopedProvider>();

/** Calls on what stands in for a gateway will reach the instance for the socket at work. */
export function standInFor(provider: ScopedProvider, { instance }: ScopedWrapper): void {
  if (typeof instance !== "object" || instance === null) return;
  trackSockets();
  standIns.set(instance, provider);
}

/** A method of a gateway, for its own instances and for what stands in for them. */
export function onInstance(method: Method): Method {
  return function (...args) {
    const provider = standIns.get(this);
    if (provider === undefined) return method.apply(this, args);
    return gatewayFor(this, provider).then((instance) => method.apply(instance, args));
  };
}

async function gatewayFor(standIn: object, provider: ScopedProvider): Promise<object> {
  const instance = await instanceFor(currentSocket(), provider);
  // Nest has given the servers to what stands in.
  for (const key of Object.keys(standIn)) {
    if (Reflect.hasMetadata(NEST_KEYS.server, standIn, key)) Reflect.set(instance, key, Reflect.get(standIn, key));
  }
  return instance;
}

const ENHANCER_METHODS = ["canActivate", "intercept", "transform", "catch"] as const;

/** Has what stands in for a guard, interceptor, pipe or filter ask the instance for the socket at work. */
export function redirectEnhancer(provider: ScopedProvider, { instance: standIn }: ScopedWrapper): void {
  if (typeof standIn !== "object" || standIn === null) return;
  trackSockets();
  for (const name of ENHANCER_METHODS) {
    if (typeof (standIn as Record<string, unknown>)[name] !== "function") continue;
    const ask: Method = async (...args) => {
      const instance = (await instanceFor(currentSocket(), provider)) as Record<string, Method>;
      return instance[name]?.(...args);
    };
    const value = name === "catch" ? contained(ask) : ask;
    Object.defineProperty(standIn, name, { value, configurable: true, writable: true });
  }
}

/** Nobody waits for filters, or hears of what becomes of them. */
function contained(ask: Method): Method {
  return async function (error, host) {
    const call = eventCallIn((host as ArgumentsHost).getArgs());
    if (call !== undefined) call.isAckTaken = true;
    try {
      await ask.call(this, error, host);
    } catch (fault) {
      new Logger("SocketIo").error(fault instanceof Error ? fault.stack : fault);
      call?.fail(fault);
    }
  };
}
