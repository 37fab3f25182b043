import { EventError, parse } from "@plugboard/contract";
import { isAnswering, isSameOrigin, nodeRequest } from "@plugboard/engine";
import type { Adapter as AdapterInterface } from "./adapter-contract.js";
import { InMemoryAdapter } from "./adapter.js";
import {
  type AttachableServer,
  contractOf,
  Namespace,
  Server,
  type ServerOptions,
  Socket,
  useContract,
} from "./contract.js";
import { SERVER_OPTION_NAMES, unknownOption } from "./option-names.js";
import { SessionAwareAdapter as InMemorySessionAwareAdapter } from "./session-aware-adapter.js";

/** Class of adapters, for classes that extend it. A namespace makes them. */
export interface AdapterClass {
  new (nsp: any): AdapterInterface;
  readonly prototype: AdapterInterface;
}

/** Keeps the rooms of one namespace in memory (spec/server.md 3.10). */
export const Adapter: AdapterClass = InMemoryAdapter as unknown as AdapterClass;
/** What keeps rooms and reaches other nodes. */
export type Adapter = AdapterInterface;

/** The same, with what connection state recovery needs (spec/server.md 3.11). */
export const SessionAwareAdapter: AdapterClass = InMemorySessionAwareAdapter as unknown as AdapterClass;
/** What keeps rooms and reaches other nodes. */
export type SessionAwareAdapter = AdapterInterface;

/** What `require()` of this package returns: a function that makes servers, and the classes. */
export interface CreateServer {
  /** The same as `new Server(server, options)`. */
  (server?: AttachableServer | number | Partial<ServerOptions>, options?: Partial<ServerOptions>): Server;
  readonly Server: typeof Server;
  readonly Namespace: typeof Namespace;
  readonly Socket: typeof Socket;
  readonly Adapter: typeof Adapter;
  readonly SessionAwareAdapter: typeof SessionAwareAdapter;
  readonly EventError: typeof EventError;
  readonly contractOf: typeof contractOf;
  readonly isAnswering: typeof isAnswering;
  readonly isSameOrigin: typeof isSameOrigin;
  readonly nodeRequest: typeof nodeRequest;
  readonly parse: typeof parse;
  readonly SERVER_OPTION_NAMES: typeof SERVER_OPTION_NAMES;
  readonly unknownOption: typeof unknownOption;
  readonly useContract: typeof useContract;
}

const createServer: CreateServer = Object.assign(
  (server?: AttachableServer | number | Partial<ServerOptions>, options?: Partial<ServerOptions>) =>
    new Server(server, options),
  {
    Server,
    Namespace,
    Socket,
    Adapter,
    SessionAwareAdapter,
    EventError,
    contractOf,
    isAnswering,
    isSameOrigin,
    nodeRequest,
    parse,
    SERVER_OPTION_NAMES,
    unknownOption,
    useContract,
  },
);

// Node hands out the export of this name where CommonJS code calls `require()`; the CommonJS build does the same.
export { createServer as "module.exports" };
export { Namespace, Server, Socket };
export { contractOf, EventError, useContract };
export { isAnswering, isSameOrigin, nodeRequest, parse };
export { SERVER_OPTION_NAMES, unknownOption };
export type { Engine, EngineMiddleware, HeaderFields, HttpAnswer } from "@plugboard/engine";
export type { ErrorAnswer, StandardSchema } from "@plugboard/contract";
export type {
  AttachableServer,
  BroadcastOperator,
  Client,
  CloseOptions,
  Event,
  EventContext,
  EventHandler,
  EventStep,
  ExtendedError,
  ListenerFailure,
  NamespaceConstructor,
  NamespaceMatcher,
  NamespaceMiddleware,
  ParentNamespace,
  RemoteSocket,
  ServerConstructor,
  ServerOptions,
  SocketConstructor,
} from "./contract.js";
export type {
  AdapterConstructor,
  BroadcastFlags,
  BroadcastOptions,
  PrivateSessionId,
  Room,
  Session,
  SocketId,
} from "./adapter-contract.js";
export type { RecoveryCandidate } from "./recovery-checks.js";
export type { Handshake } from "./handshake.js";
export type { ConnectionStateRecoveryOptions, Parser, ParserDecoder, ParserEncoder } from "./options.js";
export type { DefaultEventsMap, EventsMap } from "./typed-events.js";
export type { DisconnectReason } from "@plugboard/protocol";
