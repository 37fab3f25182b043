export { fromExpressStore, type ExpressSessionStore } from "./express-store.js";
export { perEvent } from "./per-event.js";
export { fromRequest } from "./session-store.js";
export type { RequestSessions, SessionData, SessionStore, StoredSession, StoreWatcher } from "./session-store.js";
export { SocketSessions } from "./socket-sessions.js";
export type { MiddlewareOptions, SessionMiddleware, SocketSessionsOptions } from "./socket-sessions.js";
export type { DeepReadonly, SessionEnd, SocketSession, SocketSessionEvents } from "./socket-session.js";
