export { ApplicationSessions, type ApplicationSessionsOptions } from "./application-sessions.js";
export { fromExpressStore } from "./express-store.js";
export type {
  ExpressSessionStore,
  FastifyReplyLike,
  FastifyRequestLike,
  FastifySession,
  SessionMiddleware,
} from "./framework-types.js";
export { perEvent } from "./per-event.js";
export { fromRequest } from "./session-store.js";
export type { RequestSessions, SessionData, SessionStore, StoredSession, StoreWatcher } from "./session-store.js";
export { SocketSessions } from "./socket-sessions.js";
export type { MiddlewareOptions, SocketMiddleware, SocketSessionsOptions } from "./options.js";
export type { DeepReadonly, SessionEnd, SocketSession, SocketSessionEvents } from "./socket-session.js";
