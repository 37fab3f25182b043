import { fromExpressStore } from "./express-store.js";
import type { ExpressSessionStore, FastifyRequestLike, FastifySession, SessionMiddleware } from "./framework-types.js";
import type { SessionStore } from "./session-store.js";
import type { SocketSessions } from "./socket-sessions.js";

const brought = new WeakSet<SessionStore>();

/**
 * A store of `@fastify/session`, which looks at the end of a session itself: its own store keeps those that have expired. It is the
 * object that `fromExpressStore` gives, for that is what changes take turns by.
 */
export function fromFastifyStore(store: ExpressSessionStore): SessionStore {
  const found = fromExpressStore(store);
  if (brought.has(found)) return found;
  brought.add(found);
  const load = found.load.bind(found);
  found.load = async (id) => {
    const stored = await load(id);
    return stored?.expiresAt !== undefined && stored.expiresAt <= Date.now() ? undefined : stored;
  };
  return found;
}

/**
 * Requests that change things take turns with sockets: so each looks at its session once more when it has its turn. What a
 * request has only read it does not write.
 *
 * @returns what stands around the rest of the request, of which it is to be given those of Node; undefined for one that has come
 * without a session
 */
export function middlewareOfFastify(
  sessions: SocketSessions,
  request: FastifyRequestLike,
): SessionMiddleware | undefined {
  const { sessionStore, session, cookies } = request;
  const id = session?.sessionId;
  const signed = session?.encryptedSessionId;
  // The cookie may have any name, and a prefix in front of the id.
  const isNew = signed === undefined || !Object.values(cookies ?? {}).some((cookie) => cookie?.endsWith(signed));
  if (!session || id === undefined || isNew) return undefined;
  const sessionOf = (): FastifySession | null | undefined => request.session;
  return sessions.middleware(
    (_req, _res, next) => {
      sessionStore?.get(id, (error: unknown, found: unknown) => {
        if (error) next(error);
        else if (!found) sessionOf()?.regenerate?.(next);
        else if (hasChanged(session, found)) sessionOf()?.reload?.(next);
        else next();
      });
    },
    { loaded: () => ({ id, session }), sessionOf },
  );
}

/** Whether the store has other data by now than a request was given. */
function hasChanged(session: object, found: object): boolean {
  return JSON.stringify({ ...session, cookie: undefined }) !== JSON.stringify({ ...found, cookie: undefined });
}
