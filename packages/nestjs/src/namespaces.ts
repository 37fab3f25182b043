/** A pattern of dynamic namespaces, with what the parts of a name are called. */
const patterns = new Map<string, RegExp>();

/**
 * What `server.of()` takes for the namespace of a gateway: `/room-:id` stands for all names that have something other than a
 * slash at that place. The same text gives the same object.
 */
export function namespacePattern(namespace: string | RegExp): string | RegExp {
  if (typeof namespace !== "string") return sameRegExp(namespace);
  if (!/:[A-Za-z_]/.test(namespace)) return namespace;
  const source = namespace
    .split(/(:[A-Za-z_]\w*)/)
    .map((part, index) =>
      index % 2 === 1 ? `(?<${part.slice(1)}>[^/]+?)` : part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
    )
    .join("");
  return sameRegExp(new RegExp(`^${source}$`));
}

function sameRegExp(pattern: RegExp): RegExp {
  const known = patterns.get(String(pattern));
  if (known === undefined) patterns.set(String(pattern), pattern);
  return known ?? pattern;
}

/** What the named parts of the patterns stand for in this name. */
export function namespaceParams(name: string): Readonly<Record<string, string>> {
  for (const pattern of patterns.values()) {
    const groups = pattern.exec(name)?.groups;
    if (groups !== undefined) return groups;
  }
  return {};
}
