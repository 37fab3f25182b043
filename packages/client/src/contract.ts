/**
 * The public types of the client. They know each other (a socket its manager, a manager its sockets), so they are
 * interfaces in one file instead of classes in several that import each other in a circle. They carry no private members
 * either: a value typed by the ESM build fits a parameter typed by the CJS build. The classes behind them import nothing
 * from here.
 *
 * Type parameters, everywhere in the same order: events the server sends (`ListenEvents`), events the client sends
 * (`EmitEvents`). On the server it is the other way round.
 */
import type {
  AllButLast,
  DefaultEventsMap,
  EnginePacketType,
  EventNames,
  EventParams,
  EventsMap,
  Last,
} from "@plugboard/protocol";
import type { EngineOptions } from "./engine/engine-options.js";
import type { BinaryType } from "./host.js";
import type { ManagerOptions, SocketOptions } from "./options.js";
import type {
  EnginePacket,
  EngineReservedEvents,
  ManagerReservedEvents,
  Packet,
  SocketDisconnectReason,
  SocketReservedEvents,
  TransportReservedEvents,
  WriteOptions,
} from "./reserved-events.js";
import { ClientSocket } from "./socket.js";
import type { Answer, DecorateAcknowledgements, TypedEmitter } from "./typed-events.js";

/** Bytes of one session over polling, websocket or webtransport (spec/client.md 2.10). */
export interface Transport extends TypedEmitter<{}, {}, TransportReservedEvents> {
  /** Name on the wire: `polling`, `websocket`, `webtransport`. */
  readonly name: string;
  /** Query parameters of its requests. */
  query: { [key: string]: any };
  /** Whether it takes packets now. */
  writable: boolean;
  open(): this;
  close(): this;
  send(packets: any): void;
  /** Stops receiving and calls back once nothing is under way any more. */
  pause(onPause: () => void): void;
}

/** What a transport of your own extends: see `Transport` of the exports. */
export interface BaseTransport extends Transport {
  /** Those of the engine, with what `transportOptions` says for this transport. */
  readonly opts: Partial<EngineOptions> & { query?: { [key: string]: any } };
  readyState: "opening" | "open" | "pausing" | "paused" | "closed" | undefined;
  /** Whether bytes travel as they are instead of as base64. */
  supportsBinary: boolean;
  /** To be called once connected. */
  onOpen(): void;
  /** To be called with each encoded packet that comes in. */
  onData(data: string | Uint8Array | ArrayBuffer): void;
  /** To be called when the connection ended. */
  onClose(details?: unknown): void;
  /** To be called when the connection failed; the message should say what failed. */
  onError(message: string, description?: unknown, context?: unknown): this;
  /** To be called with `drain` once a batch is out; the methods above emit the other events. */
  emitReserved<Ev extends keyof TransportReservedEvents>(
    ev: Ev,
    ...args: Parameters<TransportReservedEvents[Ev]>
  ): this;
  /** An encoded packet: text, or bytes where `supportsBinary`. */
  encode(packet: WritePacket): string | Uint8Array;
  /** `schema://host[:port]path?query` */
  createUri(schema: string, query: { [key: string]: any }): string;
}

/** A packet on its way out. */
export interface WritePacket {
  readonly type: EnginePacketType;
  readonly data?: any;
  readonly options?: WriteOptions;
}

/**
 * The class that transports of your own extend (spec/client.md 2.10). One says its `name` in a getter and implements
 * `doOpen()`, `doClose()` and `write(packets)`; that sets `writable` to false and, when the packets are out, back to true
 * before it emits `drain`.
 */
export interface BaseTransportConstructor {
  new (options: any): BaseTransport;
}

/** The class of a transport, as the options `transports` and `transportImplementations` take it. */
export interface TransportConstructor {
  new (options: any): Transport;
}

/** One low-level connection. A manager makes a new one for each attempt (spec/client.md 2). */
export interface Engine extends TypedEmitter<{}, {}, EngineReservedEvents<Transport>> {
  /** Of the session, which is secret and not the `id` of a socket. Missing unless the connection is open. */
  id: string;
  transport: Transport;
  /** How bytes are handed over; may be set at any time. Default: `nodebuffer` in Node, else `arraybuffer`. */
  binaryType: BinaryType;
  readyState: "opening" | "open" | "closing" | "closed";
  /** Packets that wait, and those under way at their head. */
  writeBuffer: EnginePacket[];
  readonly opts: Partial<EngineOptions>;
  /**
   * Sends a message; once closed, nothing happens.
   *
   * @param fn - called when it was handed to the transport, which is not yet the server
   */
  write(msg: any, options?: WriteOptions, fn?: () => void): this;
  /** The same as `write`. */
  send(msg: any, options?: WriteOptions, fn?: () => void): this;
  /** Closes when what was written before is out. The manager takes it for a loss and connects again. */
  close(): this;
}

/**
 * One connection and the sockets on it, opened again when it is lost (spec/client.md 3).
 *
 * Without an argument the methods named like options give the value; with one they set it, from the next attempt on.
 */
export interface Manager<
  ListenEvents extends EventsMap = DefaultEventsMap,
  // Nothing of a manager depends on it, but programs name it: `Manager<ServerToClientEvents, ClientToServerEvents>`.
  // oxlint-disable-next-line no-unused-vars
  EmitEvents extends EventsMap = ListenEvents,
> extends TypedEmitter<{}, {}, ManagerReservedEvents> {
  /** The connection of the current attempt; missing before the first. */
  engine: Engine;
  /** Those of the constructor, by reference: what is changed here counts from the next attempt on. */
  opts: Partial<ManagerOptions>;
  _autoConnect: boolean;
  _readyState: "opening" | "open" | "closed";
  /** Whether an attempt is due or under way. */
  _reconnecting: boolean;
  /** Whether a lost connection is opened again. `false` cancels an attempt that is due. */
  reconnection(v: boolean): this;
  reconnection(): boolean;
  reconnection(v?: boolean): this | boolean;
  /** Attempts in a row until `reconnect_failed`. */
  reconnectionAttempts(v: number): this;
  reconnectionAttempts(): number;
  reconnectionAttempts(v?: number): this | number;
  /** Milliseconds before the first attempt. */
  reconnectionDelay(v: number): this;
  reconnectionDelay(): number;
  reconnectionDelay(v?: number): this | number;
  /** How far delays may be from what they should be, from 0 to 1. */
  randomizationFactor(v: number): this;
  randomizationFactor(): number;
  randomizationFactor(v?: number): this | number;
  /** Milliseconds between attempts at most. */
  reconnectionDelayMax(v: number): this;
  reconnectionDelayMax(): number;
  reconnectionDelayMax(v?: number): this | number;
  /** Milliseconds that connecting may take; `false` waits for ever. */
  timeout(v: number | boolean): this;
  timeout(): number | boolean;
  timeout(v?: number | boolean): this | number | boolean;
  /**
   * Opens the connection, unless it is open or opening.
   *
   * @param fn - called once, with an error if there was one; then nothing is tried again
   */
  open(fn?: (err?: Error) => void): this;
  /** The same as `open`. */
  connect(fn?: (err?: Error) => void): this;
  /** The socket of a namespace, made when there is none. The name is taken as it is; the options count for a new one only. */
  socket(nsp: string, opts?: Partial<SocketOptions>): Socket;
  /** Closes the connection for good, with the reason `forced close`. */
  _close(): void;
}

/** A socket of this client in one namespace (spec/client.md 4). */
export interface Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
> extends TypedEmitter<ListenEvents, EmitEvents, SocketReservedEvents> {
  readonly io: Manager<ListenEvents, EmitEvents>;
  /** Name of the namespace. */
  readonly nsp: string;
  /** The same as on the server, and another one after each reconnection unless that `recovered`. Missing while not connected. */
  id: string | undefined;
  /** Whether the namespace is joined. */
  connected: boolean;
  /** The opposite of `connected`. */
  readonly disconnected: boolean;
  /** Whether the last connection continued the one before: nothing was missed in between. */
  recovered: boolean;
  /** Whether it is connected or waits for the connection; not after `disconnect()` on either side, nor after a refusal. */
  readonly active: boolean;
  /** Sent when the socket connects; the option of the same name. */
  auth: NonNullable<SocketOptions["auth"]>;
  /** Events that came before the namespace was joined. */
  receiveBuffer: ReadonlyArray<any>[];
  /** Packets that wait for the connection. Not bounded. */
  sendBuffer: Packet[];
  /** Connects, unless it is connected. */
  connect(): this;
  /** The same as `connect`. */
  open(): this;
  /** Leaves the namespace and stays away until `connect()`. The last socket to leave closes the connection. */
  disconnect(): this;
  /** The same as `disconnect`. */
  close(): this;
  /**
   * Sends an event, or keeps it until the socket is connected. A function as last argument gets what the server answers;
   * after `timeout()`, or with the option `ackTimeout`, an error or null first.
   *
   * @throws Error when the name of the event is reserved: `connect`, `connect_error`, `disconnect`, `disconnecting`,
   * `newListener`, `removeListener`
   */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): this;
  /**
   * Sends an event and waits for the answer.
   *
   * @returns first argument of the acknowledgement; rejects when `timeout()` or `ackTimeout` has passed, and when the
   * connection is lost meanwhile
   */
  emitWithAck<Ev extends EventNames<EmitEvents>>(
    ev: Ev,
    ...args: AllButLast<EventParams<EmitEvents, Ev>>
  ): Promise<Answer<Last<EventParams<EmitEvents, Ev>>>>;
  /** Sends a `message` event. */
  send(...args: any[]): this;
  /** Whether the transport may compress the next packet. Default: true. */
  compress(compress: boolean): this;
  /** The next packet is dropped when it cannot be sent right now. */
  readonly volatile: this;
  /** The acknowledgement of the next event may take this many milliseconds; it gets an error, or null, first. */
  timeout(timeout: number): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>>;
  /** Adds a listener for all incoming events; it gets the name first. */
  onAny(listener: (...args: any[]) => void): this;
  /** The same, before those there are. */
  prependAny(listener: (...args: any[]) => void): this;
  /** Removes one, or all. */
  offAny(listener?: (...args: any[]) => void): this;
  /** Those there are. */
  listenersAny(): ((...args: any[]) => void)[];
  /** Adds a listener for all events when they are sent, not for acknowledgements; it gets the name first. */
  onAnyOutgoing(listener: (...args: any[]) => void): this;
  /** The same, before those there are. */
  prependAnyOutgoing(listener: (...args: any[]) => void): this;
  /** Removes one, or all. */
  offAnyOutgoing(listener?: (...args: any[]) => void): this;
  /** Those there are. */
  listenersAnyOutgoing(): ((...args: any[]) => void)[];
}

// A namespace is the one way to a type that is called `Socket.DisconnectReason`.
// oxlint-disable-next-line typescript/no-namespace
export declare namespace Socket {
  /** Why a socket is not connected any more. */
  type DisconnectReason = SocketDisconnectReason;
}

/** The class of managers: `new Manager(uri, options)`, or options alone. */
export interface ManagerConstructor {
  new <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    opts: Partial<ManagerOptions>,
  ): Manager<ListenEvents, EmitEvents>;
  new <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    uri?: string,
    opts?: Partial<ManagerOptions>,
  ): Manager<ListenEvents, EmitEvents>;
  new <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    uri?: string | Partial<ManagerOptions>,
    opts?: Partial<ManagerOptions>,
  ): Manager<ListenEvents, EmitEvents>;
}

/** The class of sockets, for classes that extend it. `io()` and `manager.socket()` make them. */
export interface SocketConstructor {
  new <ListenEvents extends EventsMap = DefaultEventsMap, EmitEvents extends EventsMap = ListenEvents>(
    io: Manager,
    nsp: string,
    opts?: Partial<SocketOptions>,
  ): Socket<ListenEvents, EmitEvents>;
}

/** What a client consists of, as properties of {@link Lookup} and as exports of a module. */
export interface ClientExports {
  readonly io: Lookup;
  /** The same as `io`. */
  readonly connect: Lookup;
  readonly Manager: ManagerConstructor;
  readonly Socket: SocketConstructor;
  /** Version of the Socket.IO protocol: 5. */
  readonly protocol: number;
}

/** What `require()` of this package returns: the function that makes sockets, with the classes. */
export interface Lookup extends ClientExports {
  /** A socket of the page's own server, which only browsers have. */
  (opts?: Partial<ManagerOptions & SocketOptions>): Socket;
  /**
   * A socket of the namespace that the path of the URL names. Sockets of one server share a manager, unless the
   * namespace is taken or the options say otherwise (spec/client.md 1.4); then only `auth`, `retries` and `ackTimeout` of
   * the later calls count.
   *
   * @param uri - URL of the server. Default: that of the page
   * @throws Error `CLIENT_URL_INVALID` when neither URL nor page name a server
   */
  (uri?: string, opts?: Partial<ManagerOptions & SocketOptions>): Socket;
}

// Interface and constructor share a name and a file, so that a program may add members to them as it does to classes:
// `declare module "socket.io-client" { interface Socket { user: User } }`. A type alias could not be added to.

/** The class of sockets. */
export const Socket: SocketConstructor = ClientSocket as unknown as SocketConstructor;
