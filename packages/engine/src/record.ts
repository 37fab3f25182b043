/** What programs call on an object that they take for an ordinary one. */
const METHODS = [
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "toLocaleString",
  "toString",
  "valueOf",
] as const;

/** Unlike `Object.create(null)` it is not a hash table, which every session would keep. */
class SmallRecord {}
const { prototype } = SmallRecord;
Object.setPrototypeOf(prototype, null);
delete (prototype as { constructor?: unknown }).constructor;
for (const name of METHODS) {
  // Writable: else a key of that name, which the network may bring, could not be set.
  Object.defineProperty(prototype, name, { value: Object.prototype[name], writable: true });
}

/**
 * An empty object whose keys may come from the network: it inherits the usual methods and nothing else, whatever has
 * become of `Object.prototype`, and `__proto__` is a key like any other. Look with `Object.hasOwn` for a key that is not
 * fixed.
 */
export function smallRecord<Value>(): Record<string, Value> {
  return new SmallRecord() as Record<string, Value>;
}

/** The same, for many keys that come and go. */
export function largeRecord<Value>(): Record<string, Value> {
  return Object.setPrototypeOf(Object.create(null), prototype) as Record<string, Value>;
}
