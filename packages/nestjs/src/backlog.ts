/** What is waiting of the events of one client, in all its namespaces. */
export class Backlog {
  bytes = 0;
  static readonly #all = new WeakMap<object, Backlog>();

  /** @param connection - what the sockets of a client have in common */
  static of(connection: object): Backlog {
    const known = Backlog.#all.get(connection);
    if (known !== undefined) return known;
    const backlog = new Backlog();
    Backlog.#all.set(connection, backlog);
    return backlog;
  }
}

/** Roughly the bytes of what a client has sent, however deep it is. */
export function sizeOf(sent: unknown): number {
  let size = 0;
  const rest = [sent];
  while (rest.length > 0) {
    const value = rest.pop();
    size += 8;
    if (typeof value === "string") size += value.length;
    else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) size += value.byteLength;
    else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        size += name.length;
        rest.push(member);
      }
    }
  }
  return size;
}
