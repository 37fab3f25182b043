import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type {
  BroadcastOperator,
  DefaultEventsMap,
  EventContext,
  EventsMap,
  Namespace,
  NamespaceMatcher,
  NamespaceMiddleware,
  Server,
  Socket,
} from "@plugboard/server";
import type { TestSocket } from "@plugboard/testing";
import type { Request, RequestHandler } from "express";
import type { EventRouter } from "./event-router.js";
import type { InjectOptions } from "./inject.js";
import type { JwtAuth } from "./jwt.js";

/** What this package adds to sockets. */
export interface SocketAdditions {
  /**
   * Looks up the user again, as passport does with each request, and puts it on `socket.request.user`.
   *
   * @returns the user; undefined when nobody is logged in any more
   * @throws ExpressError with code `SIO_EXPRESS_NO_PASSPORT`
   */
  refreshUser(): Promise<Request extends { user?: infer User } ? User | undefined : unknown>;
}

/** A socket whose `request` is the request of Express that began its connection: with session, user, cookies, `ip`. */
export type ExpressSocket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  // oxlint-disable-next-line typescript/no-explicit-any
  SocketData = any,
> = Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData, Request> & SocketAdditions;

/** Options of `io.middleware`. */
export interface MiddlewareOptions {
  /** Decides about each handshake, behind what was mounted before: answers or calls `next(error)` to refuse. Default: none. */
  gate?: RequestHandler;
  /**
   * How the gate refuses: by its HTTP status, after which clients try again by themselves; or by `connect_error` with `data`
   * in every namespace, after which they stay away until `connect()`. Default: "status".
   */
  refuseBy?: "status" | "connect_error";
}

/**
 * An error hook of Express's shape. `next(error)` passes an error on in its place, if it is called before the hook returns or,
 * for one that is async, before it resolves.
 */
export type ErrorHandler = (
  error: unknown,
  context: EventContext<ExpressSocket>,
  next: (error?: unknown) => void,
) => unknown;

/** Hears and refuses sockets whose requests are those of Express. */
interface ExpressFront<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  on(
    event: "connection" | "connect",
    listener: (socket: ExpressSocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): this;
  once(
    event: "connection" | "connect",
    listener: (socket: ExpressSocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): this;
  use(middleware: NamespaceMiddleware<ExpressSocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>): this;
}

/** The Socket.IO server of an application of Express. */
export type ExpressServer<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  // oxlint-disable-next-line typescript/no-explicit-any
  SocketData = any,
> = ExpressFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData> & {
  of(
    name: string | RegExp | NamespaceMatcher,
    onConnection?: (socket: ExpressSocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): ExpressFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData> &
    Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /**
   * Mounts handlers of events on the main namespace, or on the one named.
   *
   * @throws ExpressError with code `SIO_EXPRESS_INVALID_OPTION`
   */
  use(router: EventRouter): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  use(namespace: string, router: EventRouter): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Lets clients in by tokens, in all namespaces. */
  use(auth: JwtAuth): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Adds a hook for what handlers of events throw. */
  useError(handler: ErrorHandler): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Where Socket.IO is in the chain: what was mounted before runs for handshakes and upgrades too. */
  middleware(options?: MiddlewareOptions): RequestHandler;
  /** A middleware that runs for handshakes of Socket.IO alone. */
  handshakeOnly(middleware: RequestHandler): RequestHandler;
  /** Takes the upgrades of an HTTP server that serves the application; that of `app.listen` need not be named. */
  attach(server: HttpServer | HttpsServer): ExpressServer<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /**
   * All sockets with the session of a request.
   *
   * @throws ExpressError with code `SIO_EXPRESS_NO_SESSION`
   */
  session(req: IncomingMessage): BroadcastOperator<EmitEvents, SocketData>;
  /** All sockets of a user of the main namespace. */
  user(id: string | number): BroadcastOperator<EmitEvents, SocketData>;
  /**
   * Ends all connections, and the HTTP servers that `app.listen` made; others go on serving.
   *
   * @param options - `timeoutMs`: how long handlers and answers may take. Default: 5000
   */
  shutdown(options?: { timeoutMs?: number }): Promise<void>;
  /**
   * Connects a client without a port, for tests.
   *
   * @param namespace - default: "/"
   */
  inject(namespace?: string, options?: InjectOptions): Promise<TestSocket<EmitEvents, ListenEvents>>;
} & Omit<Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>, "attach" | "useError">;
