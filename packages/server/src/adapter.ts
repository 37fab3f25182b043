import { EventEmitter } from "node:events";
import type { Packet } from "@plugboard/protocol";
import type { Adapter, BroadcastOptions, Room, Session, SocketId } from "./adapter-contract.js";
import { BroadcastWrite } from "./broadcast-write.js";
import type { ListenerGuard } from "./listener-errors.js";
import type { Callback, Chunk, NamespacePart, PacketEncoder, SocketPart } from "./parts.js";

const NO_IDS: ReadonlySet<SocketId> = new Set();

/**
 * Keeps the rooms of one namespace in memory (spec/server.md 3.10). Third-party adapters extend this class, so its
 * method names and its calls into sockets are a contract; `nsp` may be a stub with nothing but `server.encoder`.
 *
 * Events: `create-room(room)`, `join-room(room, id)`, `leave-room(room, id)`, `delete-room(room)`.
 */
export class InMemoryAdapter extends EventEmitter implements Adapter {
  static override readonly name: string = "Adapter";
  readonly nsp: NamespacePart;
  rooms: Map<Room, Set<SocketId>>;
  sids: Map<SocketId, Set<Room>>;
  readonly encoder: PacketEncoder;

  /** Packets get no offsets here. */
  readonly offsetTag: string | undefined = undefined;

  constructor(nsp: NamespacePart) {
    super();
    this.nsp = nsp;
    this.rooms = new Map();
    this.sids = new Map();
    this.encoder = nsp.server.encoder;
  }

  init(): Promise<void> | void {}

  close(): Promise<void> | void {}

  serverCount(): Promise<number> {
    return Promise.resolve(1);
  }

  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    let joined = this.sids.get(id);
    if (joined === undefined) this.sids.set(id, (joined = new Set()));
    for (const room of rooms) {
      joined.add(room);
      let members = this.rooms.get(room);
      if (members === undefined) {
        this.rooms.set(room, (members = new Set()));
        this.#announce("create-room", room);
      }
      if (members.has(id)) continue;
      members.add(id);
      this.#announce("join-room", room, id);
    }
  }

  del(id: SocketId, room: Room): Promise<void> | void {
    this.sids.get(id)?.delete(room);
    this.#removeFromRoom(room, id);
  }

  delAll(id: SocketId): void {
    const joined = this.sids.get(id);
    if (joined === undefined) return;
    for (const room of joined) this.#removeFromRoom(room, id);
    this.sids.delete(id);
  }

  #removeFromRoom(room: Room, id: SocketId): void {
    const members = this.rooms.get(room);
    if (members === undefined) return;
    if (members.delete(id)) this.#announce("leave-room", room, id);
    // A listener may have emptied or refilled the room in the meantime.
    if (members.size === 0 && this.rooms.get(room) === members) {
      this.rooms.delete(room);
      this.#announce("delete-room", room);
    }
  }

  #announce(...event: [name: string, room: Room, id?: SocketId]): void {
    if (this.listenerCount(event[0]) === 0) return;
    const guard: ListenerGuard | undefined = this.nsp.server._guard;
    if (guard === undefined) this.emit(...event);
    else guard.deliver(this, event);
  }

  /** Runs what may fail in an adapter that reaches a database, so that nothing is left unhandled. */
  #contain(event: string, action: () => unknown): void {
    const guard: ListenerGuard | undefined = this.nsp.server._guard;
    if (guard === undefined) action();
    else guard.call(action, this, [event]);
  }

  broadcast(packet: Packet, options: BroadcastOptions): void {
    packet.nsp = this.nsp.name;
    this._deliver(packet, this.encoder.encode(packet), options);
  }

  /** Hands an encoded packet to its targets. */
  _deliver(packet: Packet, chunks: Chunk[], options: BroadcastOptions): void {
    const write = new BroadcastWrite(chunks, options.flags);
    this.#forEachTarget(options, (socket) => {
      // Other packages put sockets of their own here, without this method.
      if (typeof socket.notifyOutgoingListeners === "function") socket.notifyOutgoingListeners(packet);
      socket.client.writeToEngine(chunks, write);
    });
  }

  broadcastWithAck(
    packet: Packet,
    options: BroadcastOptions,
    clientCountCallback: (clientCount: number) => void,
    ack: Callback,
  ): void {
    packet.nsp = this.nsp.name;
    const id = (packet.id = this.nsp._ids++);
    const chunks = this.encoder.encode(packet);
    const write = new BroadcastWrite(chunks, options.flags);
    let clientCount = 0;
    this.#forEachTarget(options, (socket) => {
      clientCount++;
      socket.acks.set(id, ack);
      if (typeof socket.notifyOutgoingListeners === "function") socket.notifyOutgoingListeners(packet);
      socket.client.writeToEngine(chunks, write);
    });
    clientCountCallback(clientCount);
  }

  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const ids = new Set<SocketId>();
    this.#forEachTarget({ rooms }, (socket) => ids.add(socket.id));
    return Promise.resolve(ids);
  }

  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id);
  }

  fetchSockets(options: BroadcastOptions): Promise<unknown[]> {
    return Promise.resolve(this.#targets(options));
  }

  addSockets(options: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.#targets(options)) this.#contain("join", () => socket.join(rooms));
  }

  delSockets(options: BroadcastOptions, rooms: Room[]): void {
    for (const socket of this.#targets(options)) {
      for (const room of rooms) this.#contain("leave", () => socket.leave(room));
    }
  }

  disconnectSockets(options: BroadcastOptions, close: boolean): void {
    for (const socket of this.#targets(options)) socket.disconnect(close);
  }

  serverSideEmit([event]: unknown[]): void {
    // What our own packages tell other servers is for nobody here, which is no mistake of the program.
    if (String(event).startsWith("plugboard:")) return;
    console.warn("this adapter does not support the serverSideEmit() functionality");
  }

  persistSession(_session: Omit<Session, "missedPackets">): void {}

  restoreSession(_pid: string, _offset: string): Promise<Session | null> | null {
    return null;
  }

  /** A copy, for operations that change the rooms they walk. */
  #targets(options: BroadcastOptions): SocketPart[] {
    const targets: SocketPart[] = [];
    this.#forEachTarget(options, (socket) => targets.push(socket));
    return targets;
  }

  /**
   * Visits each target once, walking the sets as they are: they are copied only to find out who is in two rooms at
   * once, or in several rooms to leave out.
   */
  #forEachTarget(options: BroadcastOptions, visit: (socket: SocketPart) => void): void {
    const { rooms } = options;
    const { sockets } = this.nsp;
    const excluded = this.#idsIn(options.except);
    const ids = rooms.size === 0 ? this.sids : this.#idsIn(rooms);
    // A listener that leaves and joins again would otherwise be visited for ever.
    let left = ids.size;
    for (const id of ids.keys()) {
      if (left-- === 0) break;
      if (excluded.has(id)) continue;
      const socket = sockets.get(id);
      if (socket !== undefined) visit(socket);
    }
  }

  #idsIn(rooms: Set<Room> | undefined): ReadonlySet<SocketId> {
    if (rooms === undefined || rooms.size === 0) return NO_IDS;
    if (rooms.size === 1) {
      const [room] = rooms;
      return this.rooms.get(room!) ?? NO_IDS;
    }
    const ids = new Set<SocketId>();
    for (const room of rooms) for (const id of this.rooms.get(room) ?? NO_IDS) ids.add(id);
    return ids;
  }
}
