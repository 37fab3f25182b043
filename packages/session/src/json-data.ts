export type JsonData = Record<string, unknown>;

/** Text to compare sessions by, and to store: without the cookie, which is no data. */
export function textOf(session: object): string {
  return JSON.stringify({ ...session, cookie: undefined });
}

/** A copy that shares nothing with the original. What JSON cannot carry is not in it, as it would not be in a store. */
export function copyOf(session: object): JsonData {
  return JSON.parse(textOf(session)) as JsonData;
}

/** Makes an object hold just this data; its cookie stays. */
export function replaceData(target: object, data: JsonData): void {
  const record = target as JsonData;
  for (const key of Object.keys(record)) {
    if (key !== "cookie" && !Object.hasOwn(data, key)) delete record[key];
  }
  Object.assign(record, data);
}

/** Freezes a tree of JSON. */
export function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
