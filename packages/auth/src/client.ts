/**
 * For the client: runs in browsers, imports nothing. `@plugboard/auth/client` is this file.
 */

/** The part of a client's socket that is needed: of `@plugboard/client`, or of `socket.io-client`, typed in whatever way. */
export interface RenewableSocket {
  /** An object, or a function that gives one. */
  auth: object;
  on(event: never, listener: never): unknown;
}

type Answer = (auth: unknown) => void;

/**
 * Answers the server when it asks for new credentials, by the `auth` of the socket: an object as it is then, or what the
 * function gives, by its callback or as a promise. When that fails the server asks again, as long as there is time.
 * Needed once per socket, with any client; harmless with servers that never ask.
 */
export function renewCredentials(socket: RenewableSocket): void {
  socket.on(
    "auth:expiring" as never,
    (async (_details: unknown, answer: Answer) => {
      try {
        const { auth } = socket;
        const fresh = typeof auth === "function" ? await auth.call(socket, answer) : auth;
        // The callback may have been called as well: the first answer counts.
        if (fresh) answer(fresh);
      } catch {}
    }) as never,
  );
}
