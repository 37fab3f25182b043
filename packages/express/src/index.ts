import type { Request } from "express";
import type { ExpressServer } from "./types.js";

export { EventRouter, validate } from "./event-router.js";
export type { ExpressError, ExpressErrorCode } from "./express-error.js";
export type { InjectOptions, SupertestAgent } from "./inject.js";
export { jwtAuth } from "./jwt.js";
export type { JwtAuth, JwtAuthOptions } from "./jwt.js";
export type { PassportLike } from "./passport.js";
export type { SessionOptions } from "./sessions.js";
export { socketio } from "./socketio.js";
export type { SocketioOptions } from "./socketio.js";
export type { ErrorHandler, ExpressServer, ExpressSocket, MiddlewareOptions, SocketAdditions } from "./types.js";
export type { ExpressWarningCode } from "./warn-once.js";
export { limitConnects, limitEvents, limitHandshakes, rateLimit } from "./limits.js";
export { perEvent } from "@plugboard/session";

/** What programs have declared of `req.session`, without the methods that `express-session` adds. */
type RequestSession = Request extends { session: infer Session }
  ? Omit<Session, "id" | "cookie" | "regenerate" | "destroy" | "reload" | "resetMaxAge" | "save" | "touch">
  : object;

declare module "@plugboard/session" {
  interface SessionData extends RequestSession {}
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- what packages put on requests is declared there
  namespace Express {
    interface Request {
      /** The Socket.IO server of the application. */
      readonly io: ExpressServer;
    }
    interface Response {
      /**
       * Emits to the sockets in a room of the main namespace, or in any of several: `req.io.to(room).emit(...)` as one link of
       * a chain, `res.emitTo("board", "changed").sendStatus(204)`.
       */
      emitTo(room: string | string[], event: string, ...args: unknown[]): this;
    }
  }
}
