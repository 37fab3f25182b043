/**
 * The public types of the server. They know each other (a socket its namespace, a namespace its server), so they are
 * interfaces in one file instead of classes in several that import each other in a circle. They carry no private members
 * either: a value typed by the ESM build fits a parameter typed by the CJS build. The classes behind them know each other
 * through `parts.ts` and import nothing from here.
 *
 * Type parameters, everywhere in the same order: events the clients send (`ListenEvents`), events the server sends
 * (`EmitEvents`), events the servers of a cluster send each other (`ServerSideEvents`), type of `socket.data`
 * (`SocketData`).
 */
import type { Contract, ErrorAnswer, ServerEmitEvents, ServerListenEvents, StandardSchema } from "@plugboard/contract";
import type { Engine, EngineOptions, Session as EngineSession } from "@plugboard/engine";
import type { DisconnectReason } from "@plugboard/protocol";
import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Adapter, AdapterConstructor, PrivateSessionId, Room, Session, SocketId } from "./adapter-contract.js";

import type { EventContext as EventContextOf } from "./event-parts.js";
import type { Handshake } from "./handshake.js";
import type {
  ListenerFailure as ListenerFailureOf,
  Parser,
  ParserDecoder,
  ParserEncoder,
  ServerOptions as ServerOptionsFor,
} from "./options.js";
import type { RecoveryCandidate } from "./recovery-checks.js";
import { NamespaceImplementation } from "./namespace.js";
import { ServerImplementation } from "./server.js";
import { SocketImplementation } from "./socket.js";
import type { PatternParams } from "./room-permissions.js";
import type {
  AllButLast,
  AnswerOf,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  MessageParams,
  PayloadOf,
  RemoveAcknowledgements,
  StrictEventEmitter,
  TypedEventBroadcaster,
} from "./typed-events.js";

/** An error of a middleware. `data` reaches the client. */
export interface ExtendedError extends Error {
  /** Anything that can be sent. */
  data?: any;
}

/** An incoming event as the middlewares of a socket see it. The acknowledgement, if any, is the last argument. */
export type Event = [eventName: string, ...args: any[]];

/** Servers that `attach` and the constructor take. */
export type AttachableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** Options of a server. */
export interface ServerOptions extends ServerOptionsFor<Socket<any, any, any, any>> {}

/** What a listener of the user threw, or rejected with. */
export interface ListenerFailure extends ListenerFailureOf<Socket<any, any, any, any>> {}

/** Decides whether a client may join a namespace that does not exist yet. */
export type NamespaceMatcher = (
  name: string,
  auth: { [key: string]: any },
  decide: (error: Error | null, allow: boolean) => void,
) => void;

/** A middleware of a namespace. */
export type NamespaceMiddleware<SocketType> = (socket: SocketType, next: (error?: ExtendedError) => void) => void;

/** How `close` is to wait. Without options it does not wait for listeners. */
export interface CloseOptions {
  /** Milliseconds that listeners which returned a promise may still take. Default, with options given: 5000; 0 does not wait. */
  timeoutMs?: number;
  /** Whether each HTTP server it is attached to is closed too. Default: true. */
  closeHttpServer?: boolean;
}

/** What steps and handlers are told of an event. */
export interface EventContext<SocketType = Socket<any, any, any, any>> extends EventContextOf<SocketType> {}

/**
 * Runs before a handler: a function, which refuses the event by throwing (an `EventError` says why; a promise is awaited) and
 * may change `context.args`; or a Standard Schema, which replaces the first argument by what it makes of it.
 */
export type EventStep<SocketType = any> = ((context: EventContext<SocketType>) => unknown) | StandardSchema;

/** Handles an event. What it returns, or what its promise resolves with, is the acknowledgement. */
export type EventHandler<Payload, Answer, SocketType> = (
  payload: Payload,
  context: EventContext<SocketType>,
) => Answer | ErrorAnswer | PromiseLike<Answer | ErrorAnswer>;

/** What a handler behind these steps gets: what the last schema among them makes of the payload. */
export type PayloadBehind<Steps extends readonly unknown[], Payload> = Steps extends readonly [
  ...infer Before,
  infer Step,
]
  ? Step extends StandardSchema<any, infer Output>
    ? Output
    : PayloadBehind<Before, Payload>
  : Payload;

/** Handlers of events, for one socket or for all of a namespace. */
export interface HandlesEvents<ListenEvents extends EventsMap, SocketType> {
  /**
   * Adds the handler of an event. What it returns is the acknowledgement. When a step or the handler throws, rejects, or
   * takes longer than `handlerTimeout`, the acknowledgement is `{ status: "error", code, message, data? }`: that of an
   * `EventError`, else `SIO_INTERNAL_ERROR`, with the error itself going to `onListenerError`. For a client that does not
   * wait for an answer, an `EventError` goes to the listeners of `error` of the socket. At most three steps come before the
   * handler. A handler of the socket comes before one of the namespace; listeners of the same event run as well.
   *
   * @throws EventError with code `SIO_DUPLICATE_HANDLER`
   */
  handle<Ev extends EventNames<ListenEvents>>(
    event: Ev,
    handler: EventHandler<PayloadOf<ListenEvents, Ev>, AnswerOf<ListenEvents, Ev>, SocketType>,
  ): this;
  handle<Ev extends EventNames<ListenEvents>, A extends EventStep<SocketType>>(
    event: Ev,
    step: A,
    handler: EventHandler<PayloadBehind<[A], PayloadOf<ListenEvents, Ev>>, AnswerOf<ListenEvents, Ev>, SocketType>,
  ): this;
  handle<Ev extends EventNames<ListenEvents>, A extends EventStep<SocketType>, B extends EventStep<SocketType>>(
    event: Ev,
    first: A,
    second: B,
    handler: EventHandler<PayloadBehind<[A, B], PayloadOf<ListenEvents, Ev>>, AnswerOf<ListenEvents, Ev>, SocketType>,
  ): this;
  handle<
    Ev extends EventNames<ListenEvents>,
    A extends EventStep<SocketType>,
    B extends EventStep<SocketType>,
    C extends EventStep<SocketType>,
  >(
    event: Ev,
    first: A,
    second: B,
    third: C,
    handler: EventHandler<
      PayloadBehind<[A, B, C], PayloadOf<ListenEvents, Ev>>,
      AnswerOf<ListenEvents, Ev>,
      SocketType
    >,
  ): this;
}

/** What a namespace emits itself. */
export interface NamespaceReservedEvents<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** What a socket emits itself. */
export interface SocketReservedEvents {
  /** The socket is gone. `description` tells more, when the transport knew more. */
  disconnect: (reason: DisconnectReason, description?: any) => void;
  /** The socket is about to go; its rooms are still there. */
  disconnecting: (reason: DisconnectReason, description?: any) => void;
  /** A middleware of the socket refused an event. */
  error: (error: Error) => void;
}

/** Choosing who gets a broadcast; each call gives a new operator. */
export interface RoomSelection<EmitEvents extends EventsMap, SocketData> {
  /** Targets the sockets of a room, or of any of several. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** The same as `to`. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** Spares the sockets of a room, or of any of several. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData>;
  /** Stays on this node. */
  readonly local: BroadcastOperator<EmitEvents, SocketData>;
}

/** What can be done to many sockets, on all nodes. */
export interface BroadcastTarget<
  EmitEvents extends EventsMap,
  BroadcastEvents extends EventsMap,
  SocketData,
> extends RoomSelection<BroadcastEvents, SocketData> {
  /** Whether the transport may compress what is sent. Default: true. */
  compress(compress: boolean): BroadcastOperator<BroadcastEvents, SocketData>;
  /** Clients that cannot take the packet right now miss it. */
  readonly volatile: BroadcastOperator<BroadcastEvents, SocketData>;
  /** Waits this many milliseconds for acknowledgements. */
  timeout(ms: number): BroadcastOperator<DecorateAcknowledgements<BroadcastEvents>, SocketData>;
  /** The sockets, those of other nodes included. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]>;
  /** Their ids. @deprecated use `fetchSockets` */
  allSockets(): Promise<Set<SocketId>>;
  /** Puts them into a room, or into several. */
  socketsJoin(room: Room | Room[]): void;
  /** Takes them out of a room, or out of several. */
  socketsLeave(room: Room | Room[]): void;
  /** Disconnects them; with `close` their connections too. Default: false. */
  disconnectSockets(close?: boolean): void;
}

/** A broadcast in the making. Immutable: each call gives a new one (spec/server.md 3.8). */
export interface BroadcastOperator<EmitEvents extends EventsMap, SocketData>
  extends BroadcastTarget<EmitEvents, EmitEvents, SocketData>, TypedEventBroadcaster<EmitEvents> {
  /**
   * Sends an event. A function as last argument gets `(error, responses)`, one response per client; `error` is set when
   * some did not answer within `timeout()`.
   *
   * @returns true
   * @throws when the name of the event is reserved
   */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  /**
   * Sends an event and waits for all to answer. Needs `timeout()` before it.
   *
   * @returns one response per client; rejects when some did not answer in time, with those that did as `error.responses`
   */
  emitWithAck<Ev extends EventNamesWithError<EmitEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>>;
}

/** A socket that may be connected to another node. */
export interface RemoteSocket<EmitEvents extends EventsMap, SocketData> extends TypedEventBroadcaster<EmitEvents> {
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Set<Room>;
  /** A copy, when the socket is on another node. */
  readonly data: SocketData;
  /** Waits this many milliseconds for an acknowledgement. */
  timeout(ms: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData>;
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  join(room: Room | Room[]): void;
  leave(room: Room): void;
  /** With `close` the connection too. Default: false. */
  disconnect(close?: boolean): this;
}

/** What a server and a namespace share: a server does it to its main namespace. */
export interface NamespaceFront<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
>
  extends
    StrictEventEmitter<
      ServerSideEvents,
      RemoveAcknowledgements<EmitEvents>,
      NamespaceReservedEvents<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
    >,
    BroadcastTarget<EmitEvents, DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>,
    HandlesEvents<ListenEvents, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> {
  /**
   * Lets clients ask for the rooms that match a pattern: by the events `room:join` and `room:leave`, each with the name of
   * the room, answered by `{ status: "ok", room }` or an error with code `SIO_FORBIDDEN` or `SIO_TOO_MANY_ROOMS` (a socket
   * in 1000 rooms gets no more). Of several patterns that match, the first counts. None matches the room of the socket
   * itself, nor those that begin with `plugboard:`.
   *
   * @param pattern - `orders/:id`: a part that begins with a colon stands for one or more chars other than a slash
   * @param check - whether this socket may join, given what the parts stand for; a throw or rejection refuses as well
   */
  authorize<Pattern extends string>(
    pattern: Pattern,
    check: (
      socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
      params: PatternParams<Pattern>,
    ) => boolean | PromiseLike<boolean>,
  ): this;
  /** Adds a middleware; those run in order for each socket that asks to join, until one calls `next` with an error. */
  use(middleware: NamespaceMiddleware<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>): this;
  /** Sends a `message` event to all. */
  send(...args: MessageParams<RemoveAcknowledgements<EmitEvents>>): this;
  /** The same as `send`. */
  write(...args: MessageParams<RemoveAcknowledgements<EmitEvents>>): this;
  /**
   * Sends an event to the other servers of the cluster. A function as last argument gets `(error, responses)`, one
   * response per server.
   *
   * @returns true
   * @throws when the name of the event is reserved
   */
  serverSideEmit<Ev extends EventNames<ServerSideEvents>>(
    event: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Ev>
  ): boolean;
  /** The same, waiting for all to answer. Rejects when some did not in time, with those that did as `error.responses`. */
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSideEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<ServerSideEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Ev>>>[]>;
}

/** A Socket.IO server (spec/server.md 3.3). What it shares with a namespace it does to the main one, `/`. */
export interface Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends NamespaceFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** The main namespace. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The engine under the server; missing until the server is attached. */
  engine: Engine;
  /** The HTTP server; missing until the server is attached to one. */
  httpServer: AttachableServer;
  /** Gets what listeners throw or reject with; undefined prints it and goes on. Option of the same name. */
  onListenerError: ((failure: ListenerFailure) => void) | undefined;
  /** Path of the engine. */
  path(): string;
  path(path: string): this;
  /** Milliseconds a connection may stay without joining a namespace. */
  connectTimeout(): number;
  connectTimeout(ms: number): this;
  /** Whether the files of the browser client are served; counts from the next `attach` on. */
  serveClient(): boolean;
  serveClient(serve: boolean): this;
  /** What makes adapters. Setting it makes a new one for each namespace: rooms are lost. */
  adapter(): AdapterConstructor | undefined;
  adapter(adapter: AdapterConstructor): this;
  /**
   * Attaches to an HTTP server, or to a new one on a port.
   *
   * @throws when given a function, such as an Express app, instead of an HTTP server
   */
  attach(server: AttachableServer | number, options?: Partial<ServerOptions>): this;
  /** The same as `attach`. */
  listen(server: AttachableServer | number, options?: Partial<ServerOptions>): this;
  /** Takes connections from an engine made elsewhere. */
  bind(engine: EventEmitter): this;
  /**
   * Adds a hook for what handlers of events (`handle()`) throw. Hooks run in the order in which they were added, and may be
   * asynchronous; what one returns (or throws), unless undefined, takes the place of the error: an `EventError` or
   * `{ status: "error", code, message }` is what the client reads.
   */
  useError(
    hook: (
      error: unknown,
      context: EventContext<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>,
    ) => unknown,
  ): this;
  /**
   * Adds a middleware for every socket of every namespace, made or not yet. It runs before those of `use`, and for recovered
   * sockets too, whatever `skipMiddlewares` says.
   */
  useAlways(middleware: NamespaceMiddleware<Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>): this;
  /**
   * Asked before a client gets a stored socket back. When one of the checks says no, throws or rejects, the client starts
   * anew: `recovered` is false and all middlewares run.
   */
  confirmRecovery(
    check: (
      candidate: RecoveryCandidate<Namespace<any, any, any, any>, IncomingMessage>,
    ) => boolean | PromiseLike<boolean>,
  ): this;
  /**
   * Ends all sockets that are in any of these rooms, in all namespaces and on all nodes. What is stored of such sockets
   * for recovery is void from now on, on this node and those that the adapter of the main namespace reaches.
   *
   * @param how - `"rehandshake"` closes the connections as if they were lost: stock clients come back, all middlewares run;
   *   `"disconnect"` tells the clients, which then stay away
   * @param reason - description of the `disconnect` event of the sockets, with `"rehandshake"`
   */
  endSockets(rooms: Room | Room[], how: "rehandshake" | "disconnect", reason?: string): this;
  /**
   * A namespace, made if need be. A pattern or function makes one that stands for all names it matches, as clients ask for them.
   *
   * @param onConnection - listener of its `connection` event
   * @throws when the pattern has the flag `g` or `y`
   */
  of(
    name: string | RegExp | NamespaceMatcher,
    onConnection?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /**
   * Stops: no new connections, then the transports of all clients are closed, then the HTTP server. Clients come back
   * once a server answers again. Called again before it is over, it waits for the same end, and `fn` gets the same error.
   *
   * @param fn - gets the error of the HTTP server, if any
   * @returns resolves when it is over, whatever `fn` gets
   */
  close(fn?: (error?: Error) => void): Promise<void>;
  close(options: CloseOptions): Promise<void>;

  /**
   * Tells `onListenerError`, or the console where there is none, of a failure outside of listeners: what works beside the
   * server, such as a session store or a rate limiter, has nobody else to tell.
   *
   * @param event - what failed
   * @param socket - whom it is about, if anybody
   */
  reportFailure(event: string, error: unknown, socket?: unknown, args?: readonly unknown[]): void;
  /**
   * Changes options that engines read at each handshake, such as `allowRequest` and `checkOrigin`.
   *
   * @param change - called once for each engine that is attached, and once for those that will be
   */
  configureEngines(change: (options: Partial<EngineOptions>) => void): this;

  // public by contract: third-party adapters and tools read these (spec/server.md 3.10)
  readonly opts: Partial<ServerOptions>;
  readonly encoder: ParserEncoder;
  readonly _parser: Parser;
  readonly _nsps: Map<string, Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  readonly parentNsps: Map<NamespaceMatcher, ParentNamespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  onconnection(connection: EngineSession): this;
}

/** A namespace: sockets that share middlewares, rooms and broadcasts (spec/server.md 3.4). */
export interface Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends NamespaceFront<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  readonly name: string;
  /** Connected sockets of this node. */
  readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  adapter: Adapter;

  // public by contract: third-party adapters and tools read these (spec/server.md 3.10)
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** Next acknowledgement id, shared by all sockets and broadcasts of the namespace. */
  _ids: number;
  /** Its middlewares; `any`, since a list of functions would make the type parameters invariant. */
  readonly _fns: readonly NamespaceMiddleware<any>[];
  /** Sockets whose middlewares run. */
  readonly _preConnectSockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  /** Delivers `[event, ...args]` of another server. */
  _onServerSideEmit(args: unknown[]): void;
}

/** A namespace that stands for all names a pattern or function matches. What is sent to it goes to each of its children. */
export interface ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  readonly children: Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  /** Makes a child, with the middlewares and listeners that the parent has now. */
  createChild(name: string): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
}

/**
 * A client in a namespace (spec/server.md 3.6).
 *
 * @typeParam Request - type of the handshake's request; an integration puts its own here
 */
export interface Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
  Request = IncomingMessage,
>
  extends
    StrictEventEmitter<ListenEvents, EmitEvents, SocketReservedEvents>,
    RoomSelection<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>,
    HandlesEvents<ListenEvents, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData, Request>> {
  /** 20 characters; not the id of the connection. */
  readonly id: SocketId;
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly client: Client<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly handshake: Handshake;
  /** Whether the socket is an earlier one with its rooms and data restored. */
  readonly recovered: boolean;
  /** Yours. Reaches other nodes with `fetchSockets`. */
  data: SocketData;
  /** Whether it has joined, and not left. */
  connected: boolean;
  /** The opposite of `connected`. */
  readonly disconnected: boolean;
  /** Its rooms, live. */
  readonly rooms: Set<Room>;
  /** The connection, shared by all sockets of the client. */
  readonly conn: EngineSession;
  /** Request that opened the connection. */
  readonly request: Request;
  /** All but this socket. */
  readonly broadcast: BroadcastOperator<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>, SocketData>;
  /** The next packet is dropped when the client cannot take it right now. */
  readonly volatile: this;
  /** Whether the transport may compress the next packet. Default: true. */
  compress(compress: boolean): this;
  /** The acknowledgement of the next event is awaited for this many milliseconds; it gets an error first. */
  timeout(
    ms: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData, Request>;
  /**
   * Sends an event. A function as last argument gets what the client answers.
   *
   * @returns true
   * @throws when the name of the event is reserved
   */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  /**
   * Sends an event and waits for the answer.
   *
   * @returns first argument of the acknowledgement; rejects only when `timeout()` was set and has passed
   */
  emitWithAck<Ev extends EventNamesWithAck<EmitEvents>>(
    event: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Ev>>>>;
  /** Sends a `message` event. */
  send(...args: MessageParams<EmitEvents>): this;
  /** The same as `send`. */
  write(...args: MessageParams<EmitEvents>): this;
  join(rooms: Room | Room[]): Promise<void> | void;
  leave(room: Room): Promise<void> | void;
  /** Ends the socket; with `close` the connection too. Either way the client stays away. Default: false. */
  disconnect(close?: boolean): this;
  /**
   * Makes the client connect anew: what recovery knows of its sockets is dropped, then the connection is closed as if it
   * was lost. The client comes back and all middlewares run.
   *
   * @param reason - description of the `disconnect` event of its sockets
   */
  rehandshake(reason?: string): void;
  /** Bytes that wait for the client, of all its namespaces together. Bounded by `maxBufferedBytes`. */
  readonly bufferedAmount: number;
  /** Resolves once nothing waits for the client any more, or its connection is over: for those who send a lot. */
  drained(): Promise<void>;
  /** Adds a middleware for incoming events. It may change the event; `next` with an error drops it. */
  use(middleware: (event: Event, next: (error?: Error) => void) => void): this;
  /**
   * Adds a listener for the events that no listener and no handler hears, of this socket or of its namespace; gets
   * `(event, ...args)`, as that of `onAny` does, but only what middlewares and the contract have let pass. It comes in place of an
   * earlier one.
   */
  onUnheard(listener: (...args: any[]) => unknown): this;
  /** Adds a listener for all incoming events. */
  onAny(listener: (...args: any[]) => void): this;
  /** The same, before those there are. */
  prependAny(listener: (...args: any[]) => void): this;
  /** Removes one, or all. */
  offAny(listener?: (...args: any[]) => void): this;
  /** Those there are, live. */
  listenersAny(): ((...args: any[]) => void)[];
  /** Adds a listener for all events sent to the client. */
  onAnyOutgoing(listener: (...args: any[]) => void): this;
  /** The same, before those there are. */
  prependAnyOutgoing(listener: (...args: any[]) => void): this;
  /** Removes one, or all. */
  offAnyOutgoing(listener?: (...args: any[]) => void): this;
  /** Those there are, live. */
  listenersAnyOutgoing(): ((...args: any[]) => void)[];

  // public by contract: third-party adapters and tools read these (spec/server.md 3.10)
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly adapter: Adapter;
  /** Who waits for which acknowledgement. */
  readonly acks: Map<number, (...args: any[]) => void>;
  /** Secret id for recovery, when that is on. */
  readonly pid: PrivateSessionId | undefined;
  /** Tells the listeners of outgoing events about a broadcast. */
  notifyOutgoingListeners(packet: { data?: any }): void;
  packet(packet: any, options?: any): void;
  _onclose(reason: DisconnectReason, description?: any): this | undefined;
  _error(error: any): void;
  leaveAll(): void;
}

/** One connection, which carries a socket per namespace (spec/server.md 3.7). */
export interface Client<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = any,
> {
  readonly conn: EngineSession;
  /** Request that opened the connection. */
  readonly request: IncomingMessage;

  // public by contract: third-party adapters and tools read these (spec/server.md 3.10)
  /** Id of the connection. Secret: it entitles to send and receive in the client's place. */
  readonly id: string;
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  readonly encoder: ParserEncoder;
  readonly decoder: ParserDecoder;
  readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  readonly nsps: Map<string, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>>;
  /** Writes the chunks of one packet; drops all of them when it is volatile and the transport busy. */
  writeToEngine(chunks: any[], options: any): void;
  _packet(packet: any, options?: any): void;
  _disconnect(): void;
}

/** What `new Server()` takes: nothing, options, or a server or port with or without options. */
export interface ServerConstructor {
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = any,
  >(
    options?: Partial<ServerOptions>,
  ): Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = any,
  >(
    server?: AttachableServer | number | Partial<ServerOptions>,
    options?: Partial<ServerOptions>,
  ): Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
}

/** The class of namespaces. `server.of(name)` is the way to get one. */
export interface NamespaceConstructor {
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = any,
  >(
    server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    name: string,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
}

/** The class of sockets, for classes that extend it. A namespace makes them. */
export interface SocketConstructor {
  new <
    ListenEvents extends EventsMap = DefaultEventsMap,
    EmitEvents extends EventsMap = ListenEvents,
    ServerSideEvents extends EventsMap = DefaultEventsMap,
    SocketData = any,
    Request = IncomingMessage,
  >(
    namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    client: Client<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    auth: Record<string, unknown>,
    previousSession?: Session,
  ): Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData, Request>;
}

// Interface and constructor share a name and a file, so that a program may add members to them as it does to classes:
// `declare module "socket.io" { interface Socket { user: User } }`. A type alias could not be added to.

/** The server. */
export const Server: ServerConstructor = ServerImplementation as unknown as ServerConstructor;
/** The class of namespaces. */
export const Namespace: NamespaceConstructor = NamespaceImplementation as unknown as NamespaceConstructor;
/** The class of sockets. */
export const Socket: SocketConstructor = SocketImplementation as unknown as SocketConstructor;

/**
 * From now on only events of the contract go in and out of a namespace, each with one argument or none. What clients send,
 * and what they answer, is validated and replaced by what the schemas make of it; an event that is refused answers its
 * acknowledgement with `SIO_INVALID_PAYLOAD` or `SIO_UNKNOWN_EVENT`, or else goes to the listeners of `error` of the socket.
 * What the server sends and answers is validated likewise: `emit` throws an `EventError`, an invalid answer becomes
 * `SIO_INVALID_ACK` and goes to `onListenerError`. Schemas of events of the server have to be synchronous.
 *
 * A function, not a method: a method that returns its namespace with other type parameters would make the types of two
 * copies of this package too deep to be compared.
 *
 * @param target - a namespace, or a server for its main one
 * @returns the same, typed by the contract
 */
export function useContract<C extends Contract, ServerSideEvents extends EventsMap, SocketData>(
  target: Server<any, any, ServerSideEvents, SocketData>,
  contract: C,
): Server<ServerListenEvents<C>, ServerEmitEvents<C>, ServerSideEvents, SocketData>;
export function useContract<C extends Contract, ServerSideEvents extends EventsMap, SocketData>(
  target: Namespace<any, any, ServerSideEvents, SocketData>,
  contract: C,
): Namespace<ServerListenEvents<C>, ServerEmitEvents<C>, ServerSideEvents, SocketData>;
export function useContract(target: object, contract: Contract): unknown {
  return (target as ServerImplementation | NamespaceImplementation).useContract(contract);
}

/** The contract that a namespace was given by {@link useContract}, such as for a document about it; `undefined`: none. */
export function contractOf(namespace: Namespace<any, any, any, any>): Contract | undefined {
  return (namespace as unknown as NamespaceImplementation)._contract;
}
