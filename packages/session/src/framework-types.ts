/* Types of what others make, written so loosely that all of it fits: each framework has requests and sessions of its own. */
import type { Server, Socket } from "@plugboard/server";

/** A server with whatever events. */
export type AnyServer = Server<any, any, any, any>;
/** A socket with whatever events and request. */
export type AnySocket = Socket<any, any, any, any, any>;

/** A middleware of Express's shape. */
export type SessionMiddleware = (req: any, res: any, next: (error?: any) => void) => unknown;

/** What stores of `express-session` and `@fastify/session` have in common. */
export interface ExpressSessionStore {
  get(id: string, callback: (error: any, session?: any) => void): any;
  set(id: string, session: any, callback?: (error?: any) => void): any;
  destroy(id: string, callback?: (error?: any) => void): any;
  touch?(id: string, session: any, callback?: (error?: any) => void): any;
}

/** Takes something off a request, whatever its framework. */
export type OfRequest<Found> = (request: any) => Found;

/** What is used of a response. */
export interface SessionResponse {
  end: (...args: any[]) => any;
  once(event: "close", listener: () => void): unknown;
}

/** What `@fastify/session` puts on requests; `@fastify/secure-session` gives no store. */
export interface FastifyRequestLike {
  readonly raw: object;
  readonly sessionStore?: ExpressSessionStore;
  readonly cookies?: Readonly<Record<string, string | undefined>>;
  readonly session?: FastifySession | null;
}

export interface FastifySession {
  readonly sessionId?: string;
  readonly encryptedSessionId?: string;
  reload?(done: (error?: Error) => void): void;
  regenerate?(done: (error?: Error) => void): void;
}

export interface FastifyReplyLike {
  readonly raw: SessionResponse;
}

/** Anything that is called with something. */
export type AnyFunction = (...args: any[]) => unknown;
