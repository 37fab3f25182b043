interface WithSession {
  readonly session?: { update(change: () => unknown): Promise<unknown> };
}

/**
 * The mode in which a handler has the session to itself: its event waits for its turn, the session is loaded, the handler
 * changes `socket.session.draft`, and what it changed is saved before its answer goes out. When it fails nothing is saved.
 * Events of one session are handled one after the other, in the order in which they came.
 *
 * For `socket.handle` and `namespace.handle`, whose handlers are told the socket, and for `socket.on`, whose listeners
 * have it as `this`: those answer before the session is saved if they call the acknowledgement themselves.
 *
 * @param handler - a handler or listener of an event
 * @returns the same, to be registered in its place; it rejects with what `update` rejects with
 */
export function perEvent<Args extends unknown[], Answer>(
  handler: (...args: Args) => Answer,
): (...args: Args) => Promise<Awaited<Answer>> {
  return async function (this: unknown, ...args: Args): Promise<Awaited<Answer>> {
    const context = args.at(-1) as { readonly socket?: WithSession } | undefined;
    const socket = context?.socket ?? (this as WithSession | undefined);
    if (socket?.session === undefined) throw new TypeError("perEvent() needs a socket that has a session");
    let answer: unknown;
    await socket.session.update(async () => {
      answer = await Reflect.apply(handler, this, args);
    });
    return answer as Awaited<Answer>;
  };
}
