import type {
  BroadcastOperator,
  DefaultEventsMap,
  EventsMap,
  Namespace,
  NamespaceMatcher,
  NamespaceMiddleware,
  Server,
  Socket,
} from "@plugboard/server";
import type { FastifyRequest, FastifyTypeProvider, FastifyTypeProviderDefault } from "fastify";
import type { EventHookFront, EventRegistration, SocketAdditions } from "./event-types.js";

/**
 * What your application sends and keeps, for `fastify.io` to know it everywhere:
 *
 * ```ts
 * declare module "@plugboard/fastify" {
 *   interface Register {
 *     events: { client: ClientToServerEvents; server: ServerToClientEvents };
 *     data: SocketData;
 *   }
 * }
 * ```
 */
export interface Register {}

type Registered<Key extends string, Default> = Register extends Record<Key, infer Given> ? Given : Default;
type RegisteredHalf<Half extends "client" | "server"> =
  Registered<"events", unknown> extends Record<Half, infer Events extends EventsMap> ? Events : DefaultEventsMap;

/** Events that clients send, of {@link Register}. */
export type RegisteredListenEvents = RegisteredHalf<"client">;
/** Events that the server sends, of {@link Register}. */
export type RegisteredEmitEvents = RegisteredHalf<"server">;
/** Type of `socket.data`, of {@link Register}. */
// oxlint-disable-next-line typescript/no-explicit-any
export type RegisteredData = Registered<"data", any>;

/** A socket whose `request` is the request of Fastify that began its connection: with session, user, cookies, `ip`. */
export type FastifySocket<
  ListenEvents extends EventsMap = RegisteredListenEvents,
  EmitEvents extends EventsMap = RegisteredEmitEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = RegisteredData,
> = Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData, FastifyRequest> & SocketAdditions;

/** `request.session` of `@fastify/session`. */
export interface SessionReference {
  readonly sessionId: string;
}

/** What a server and a namespace say of their sockets. */
export interface SocketListening<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  on(
    event: "connection" | "connect",
    listener: (socket: FastifySocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): this;
  once(
    event: "connection" | "connect",
    listener: (socket: FastifySocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): this;
  use(middleware: NamespaceMiddleware<FastifySocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>): this;
}

/** The same, and how events are registered: for `fastify.io` and what `fastify.ioNamespace` gives. */
export interface FastifyFront<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
  TypeProvider extends FastifyTypeProvider,
>
  extends
    SocketListening<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    EventRegistration<TypeProvider, FastifySocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>,
    EventHookFront {
  /** Targets the sockets of a session of `@fastify/session`, in this namespace. */
  to(session: SessionReference): BroadcastOperator<EmitEvents, SocketData>;
  /** The same as `to`. */
  in(session: SessionReference): BroadcastOperator<EmitEvents, SocketData>;
}

/** A namespace that `fastify.ioNamespace` declares. */
export type FastifyNamespace<
  ListenEvents extends EventsMap = RegisteredListenEvents,
  EmitEvents extends EventsMap = RegisteredEmitEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = RegisteredData,
  TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
> = FastifyFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData, TypeProvider> &
  Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;

/** The Socket.IO server of an application: `fastify.io`. */
export type FastifySocketServer<
  ListenEvents extends EventsMap = RegisteredListenEvents,
  EmitEvents extends EventsMap = RegisteredEmitEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = RegisteredData,
  TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
> = FastifyFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData, TypeProvider> & {
  /** A namespace as that of `socket.io` is, which no scope owns: `ioNamespace` gives one with `event`, `addHook` and `to(session)`. */
  of(
    name: string | RegExp | NamespaceMatcher,
    onConnection?: (socket: FastifySocket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): SocketListening<ListenEvents, EmitEvents, ServerSideEvents, SocketData> &
    Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
} & Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
