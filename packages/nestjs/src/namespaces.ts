/** A pattern of dynamic namespaces, with what the parts of a name are called. */
const patterns = new Map<string, RegExp>();

/**
 * What `server.of()` takes for the namespace of a gateway: `/room-:id` stands for all names that have something other than a
 * slash at that place. The same text gives the same object.
 */
export function namespacePattern(namespace: string | RegExp): string | RegExp {
  if (typeof namespace !== "string") return sameRegExp(namespace);
  if (!/:[A-Za-z_]/.test(namespace)) return namespace;
  const [start = "", ...parts] = namespace.split(/:([A-Za-z_]\w*)/);
  let source = escaped(start);
  for (let index = 0; index < parts.length; index += 2) {
    const name = parts[index];
    const text = escaped(parts[index + 1] ?? "");
    // What is looked ahead at is not tried anew when a later part does not fit, which would take minutes for hostile names. The
    // first place where the text behind a part fits is as good as any other.
    const isLast = index + 2 === parts.length;
    source += isLast ? `(?<${name}>[^/]+?)${text}` : `(?=(?<${name}>[^/]+?)${text})\\k<${name}>${text}`;
  }
  return sameRegExp(new RegExp(`^${source}$`));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
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
