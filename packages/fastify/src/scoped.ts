/**
 * The same object with a few more members, which are not on the object itself: whatever is read or set otherwise is its own.
 * Fastify's scopes have one server, but each has hooks of its own.
 */
export function scoped<Target extends object, Members extends object>(
  target: Target,
  members: Members,
): Target & Members {
  const proxy: Target & Members = new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(key in members ? members : target, key);
      return typeof value === "function" && !(key in members) ? bound(value as Method) : value;
    },
    has: (_target, key) => key in members || key in target,
    set: (_target, key, value) => Reflect.set(target, key, value),
  }) as Target & Members;
  const known = new WeakMap<Method, Method>();
  /** What returns the object itself, for chains of calls, returns this one. */
  const bound = (method: Method): Method => {
    let made = known.get(method);
    if (made === undefined) {
      made = (...args) => {
        const result = Reflect.apply(method, target, args);
        return result === target ? proxy : result;
      };
      known.set(method, made);
    }
    return made;
  };
  return proxy;
}

type Method = (...args: unknown[]) => unknown;
