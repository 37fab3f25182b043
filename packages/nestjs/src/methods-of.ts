/** The methods of a class and of those that it extends. */
export function* methodsOf(prototype: object): Generator<object> {
  for (const [, method] of namedMethodsOf(prototype)) yield method;
}

/** The same, with their names; of some that have the same name, the one that counts comes first. */
export function* namedMethodsOf(prototype: object): Generator<[name: string, method: object]> {
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function") yield [name, value as object];
    }
  }
}
