/** The methods of a class and of those that it extends. */
export function* methodsOf(prototype: object): Generator<object> {
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function") yield value as object;
    }
  }
}
