/**
 * What keeps rooms and reaches other nodes, as the server sees it (spec/server.md 3.10). The contract is structural and wide
 * on purpose: adapters of third parties are written against another package's classes and have to fit without a cast.
 */
import type { EventEmitter } from "node:events";

/** Name of a room. The id of a socket is the name of a room that holds this socket alone. */
export type Room = string;

/** Id of a socket in its namespace. Not secret. */
export type SocketId = string;

/** Id that entitles a client to recover a socket. Secret: never shown to another client. */
export type PrivateSessionId = string;

/** How a packet is to be sent. */
export interface BroadcastFlags {
  /** Whether a client that cannot take the packet right now misses it. */
  volatile?: boolean;
  /** Whether the transport may compress the packet. Default: true. */
  compress?: boolean;
  /** Whether the packet stays on this node. */
  local?: boolean;
  /** Legacy, unused. */
  broadcast?: boolean;
  /** Legacy, unused. */
  binary?: boolean;
  /** Milliseconds to wait for acknowledgements. */
  timeout?: number;
}

/** Who is to get a packet. */
export interface BroadcastOptions {
  /** Sockets in at least one of these rooms; all of the namespace when empty. */
  rooms: Set<Room>;
  /** But not those in one of these. */
  except?: Set<Room>;
  /** How. */
  flags?: BroadcastFlags;
}

/** A socket as an adapter keeps it for connection state recovery (spec/server.md 3.11). */
export interface Session {
  sid: SocketId;
  pid: PrivateSessionId;
  rooms: Room[];
  data: unknown;
  /** What was sent while the client was away: one array `[event, ...args]` per packet. */
  missedPackets: unknown[][];
}

/**
 * An adapter of one namespace. Events: `create-room(room)`, `join-room(room, id)`, `leave-room(room, id)`,
 * `delete-room(room)`.
 */
export interface Adapter extends EventEmitter {
  /** The namespace; `any`, since an adapter may be typed by another package. */
  readonly nsp: any;
  /** Sockets by room. */
  rooms: Map<Room, Set<SocketId>>;
  /** Rooms by socket. */
  sids: Map<SocketId, Set<Room>>;
  /** Called once for each namespace. Being called twice must do no harm. */
  init(): Promise<void> | void;
  /** Called when the server closes and when an empty child namespace is removed. */
  close(): Promise<void> | void;
  /** Number of nodes, this one included. */
  serverCount(): Promise<number>;
  /** Puts a socket into rooms. */
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void;
  /** Takes a socket out of a room. */
  del(id: SocketId, room: Room): Promise<void> | void;
  /** Takes a socket out of all rooms. */
  delAll(id: SocketId): void;
  /** Sends a packet to all that `options` name. */
  broadcast(packet: any, options: BroadcastOptions): void;
  /**
   * Sends a packet that asks for acknowledgements.
   *
   * @param clientCountCallback - gets the number of targets, once per node
   * @param ack - gets the arguments of one acknowledgement, once per client that answers
   */
  broadcastWithAck(
    packet: any,
    options: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: (...args: any[]) => void,
  ): void;
  /** Ids of the local sockets in at least one of `rooms`, of all when it is empty. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>>;
  /** Rooms of a socket, live. */
  socketRooms(id: SocketId): Set<Room> | undefined;
  /** Sockets of all nodes: local ones as they are, others as `{ id, handshake, rooms, data }`. */
  fetchSockets(options: BroadcastOptions): Promise<any[]>;
  /** Puts sockets into rooms, on all nodes. */
  addSockets(options: BroadcastOptions, rooms: Room[]): void;
  /** Takes sockets out of rooms, on all nodes. */
  delSockets(options: BroadcastOptions, rooms: Room[]): void;
  /** Disconnects sockets, on all nodes; with `close` their connections too. */
  disconnectSockets(options: BroadcastOptions, close: boolean): void;
  /** Sends `[event, ...args]` to the other nodes. */
  serverSideEmit(packet: any[]): void;
  /** Keeps a socket whose client may come back. */
  persistSession(session: any): void;
  /** What the offsets begin with that this adapter adds to packets, for clients that can tell them from other strings. */
  readonly offsetTag?: string | undefined;
  /** Gives it back; nothing when it is unknown, expired, or what it missed is no longer there. */
  restoreSession(pid: PrivateSessionId, offset: string): Promise<Session | null> | null;
}

/** Makes an adapter: a class or a function. Both are called with `new`. */
export type AdapterConstructor = (new (nsp: any) => Adapter) | ((nsp: any) => Adapter);
