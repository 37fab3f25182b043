import { createDebug, generateSessionId, runMiddlewareChain } from "@plugboard/engine/internal";
import type { IncomingMessage } from "node:http";
import { DisconnectReason, PacketType, RESERVED_EVENTS, type Packet } from "@plugboard/protocol";
import { fileAck } from "./ack-table.js";
import type { Adapter, Room, Session, SocketId } from "./adapter-contract.js";
import { BroadcastOperatorImplementation } from "./broadcast-operator.js";
import { admitEvent, checkOutgoing } from "./contract-enforcement.js";
import { CatchAllEmitter } from "./catch-all-emitter.js";
import { NO_FLAGS, writeOptionsOf, type EmitFlags, type WriteOptions } from "./emit-flags.js";
import { addHandler, refusalAnswer } from "./event-handlers.js";
import type { HandledEvent } from "./event-parts.js";
import { describeHandshake } from "./handshake-details.js";
import type { Handshake } from "./handshake.js";
import type {
  AuthData,
  Callback,
  ClientPart,
  Connection,
  EventMiddleware,
  NamespacePart,
  ServerPart,
  SocketPart,
} from "./parts.js";

const debug = createDebug("socket.io:socket");

const RECOVERABLE_REASONS: ReadonlySet<string> = new Set([
  DisconnectReason.TRANSPORT_ERROR,
  DisconnectReason.TRANSPORT_CLOSE,
  DisconnectReason.FORCED_CLOSE,
  DisconnectReason.PING_TIMEOUT,
  DisconnectReason.SERVER_SHUTTING_DOWN,
  DisconnectReason.FORCED_SERVER_CLOSE,
]);

/**
 * One client in one namespace (spec/server.md 3.6).
 *
 * An incoming event takes the straight path: `_onpacket` -> `onevent` -> `dispatch` -> listeners, in the same turn in
 * which its packet was decoded. Nothing is missed by that: the listeners of `connection` have run before CONNECT is
 * answered. Fields are plain rather than `#private` because users extend this class, and wrap its instances in proxies.
 */
export class SocketImplementation extends CatchAllEmitter implements SocketPart {
  static override readonly name: string = "Socket";
  readonly nsp: NamespacePart;
  readonly client: ClientPart;
  readonly id: SocketId;
  readonly pid: string | undefined;
  readonly recovered: boolean;
  data: unknown;
  connected = false;
  flags: EmitFlags = NO_FLAGS;
  fns: EventMiddleware[] | undefined = undefined;
  _acks: Map<number, Callback> | undefined = undefined;
  /** Handlers of this socket, by event. Made on first use. */
  _handled: Map<unknown, HandledEvent> | undefined = undefined;
  _unheard: Callback | undefined = undefined;
  _runningHandlers = 0;
  /** Set when the socket starts to close: once is enough. */
  _closing = false;
  /** Set when it has left its rooms, for good. */
  _closed = false;
  readonly _auth: AuthData;
  readonly _issuedAt: number;
  _handshake: Handshake | undefined = undefined;
  /** Of a socket that comes back, until it is connected: what it missed is written before CONNECT. */
  _previousSession: Session | undefined;

  /** @param previousSession - of a socket that comes back */
  constructor(nsp: NamespacePart, client: ClientPart, auth: AuthData, previousSession?: Session | null) {
    super();
    this.nsp = nsp;
    this.client = client;
    this._auth = auth;
    this._issuedAt = Date.now();
    if (previousSession) {
      this.id = previousSession.sid;
      this.pid = previousSession.pid;
      this.recovered = true;
      this.data = previousSession.data;
      this._previousSession = previousSession;
      this._joinContained(previousSession.rooms);
    } else {
      this.id = generateSessionId();
      this.pid = nsp.server.opts.connectionStateRecovery ? privateSessionId(nsp.adapter.offsetTag) : undefined;
      this.recovered = false;
      this.data = {};
      this._previousSession = undefined;
    }
  }

  // What it belongs to.

  get server(): ServerPart {
    return this.nsp.server;
  }

  get adapter(): Adapter {
    return this.nsp.adapter;
  }

  get conn(): Connection {
    return this.client.conn;
  }

  get request(): IncomingMessage | undefined {
    return this.client.request;
  }

  /** Bytes that wait for the client, of all its namespaces together. */
  get bufferedAmount(): number {
    return this.conn.bufferedAmount ?? 0;
  }

  /** Resolves once nothing waits for the client any more, or its connection is over. */
  drained(): Promise<void> {
    const { conn } = this;
    // A writable transport has nothing of ours on its way; what it still counts are answers to pings.
    if (this.bufferedAmount === 0 || conn.transport.writable || conn.readyState === "closed") return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.conn.removeListener("idle", finish);
        this.conn.removeListener("close", finish);
        resolve();
      };
      this.conn.on("idle", finish);
      this.conn.on("close", finish);
    });
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  get rooms(): Set<Room> {
    return this.adapter.socketRooms(this.id) ?? new Set();
  }

  /** Made when somebody looks at it. */
  get handshake(): Handshake {
    return (this._handshake ??= describeHandshake(this.conn, this._auth, this._issuedAt));
  }

  /** Callbacks that wait for an answer, by packet id. Made on first use. */
  get acks(): Map<number, Callback> {
    return (this._acks ??= new Map());
  }

  // Sending.

  override emit(...data: unknown[]): boolean {
    const event = data[0];
    if (RESERVED_EVENTS.has(event as string)) throw new Error(`"${String(event)}" is a reserved event name`);
    const { flags } = this;
    this.flags = NO_FLAGS;
    const { _contract: contract } = this.nsp;
    if (contract !== undefined) checkOutgoing(contract, data, { errorFirst: flags.timeout !== undefined, list: false });
    const packet: Packet = { type: PacketType.EVENT, nsp: this.nsp.name, data };
    const last = data.at(-1);
    if (typeof last === "function") this._sendWithAck(packet, last as Callback, flags);
    else this._send(packet, flags);
    return true;
  }

  _sendWithAck(packet: Packet, ack: Callback, flags: EmitFlags): void {
    const data = packet.data as unknown[];
    data.pop();
    const id = this.nsp._ids++;
    packet.id = id;
    // Nobody will answer, and there is no deadline to tell.
    if (this._closed && flags.timeout === undefined) return;
    const takeBack = fileAck(this, this.server._guard, { id, ack, timeoutMs: flags.timeout, event: data[0] });
    try {
      this._send(packet, flags);
    } catch (error) {
      takeBack();
      throw error;
    }
  }

  _send(packet: Packet, flags: EmitFlags): void {
    if (this.server.opts.connectionStateRecovery) {
      // Through the adapter, which keeps it for the case that the client is just away.
      this.adapter.broadcast(packet, { rooms: new Set([this.id]), except: new Set(), flags });
      return;
    }
    if (this._closed) return;
    if (this._anyOutgoing !== undefined) this.notifyOutgoingListeners(packet);
    this.client._packet(packet, writeOptionsOf(flags));
  }

  emitWithAck(...data: unknown[]): Promise<unknown> {
    const withError = this.flags.timeout !== undefined;
    return new Promise((resolve, reject) => {
      if (!withError) return void this.emit(...data, resolve);
      this.emit(...data, (error: Error | null, response: unknown) => (error ? reject(error) : resolve(response)));
    });
  }

  send(...args: unknown[]): this {
    this.emit("message", ...args);
    return this;
  }

  write(...args: unknown[]): this {
    return this.send(...args);
  }

  /** Sends a packet of any type to this namespace of the client. */
  packet(packet: Packet, options: WriteOptions = writeOptionsOf(NO_FLAGS)): void {
    packet.nsp = this.nsp.name;
    this.client._packet(packet, options);
  }

  compress(compress: boolean): this {
    this.flags = { ...this.flags, compress };
    return this;
  }

  get volatile(): this {
    this.flags = { ...this.flags, volatile: true };
    return this;
  }

  timeout(timeoutMs: number): this {
    this.flags = { ...this.flags, timeout: timeoutMs };
    return this;
  }

  // Sending to others.

  to(room: Room | Room[]): BroadcastOperatorImplementation {
    return this._newBroadcast().to(room);
  }

  in(room: Room | Room[]): BroadcastOperatorImplementation {
    return this.to(room);
  }

  except(room: Room | Room[]): BroadcastOperatorImplementation {
    return this._newBroadcast().except(room);
  }

  get broadcast(): BroadcastOperatorImplementation {
    return this._newBroadcast();
  }

  get local(): BroadcastOperatorImplementation {
    return this._newBroadcast().local;
  }

  _newBroadcast(): BroadcastOperatorImplementation {
    const { flags } = this;
    this.flags = NO_FLAGS;
    return new BroadcastOperatorImplementation(this.adapter, new Set(), new Set([this.id]), flags);
  }

  // Rooms.

  join(rooms: Room | Room[]): Promise<void> | void {
    if (this._closed) return;
    debug("%s joins %o", this.id, rooms);
    return this.adapter.addAll(this.id, new Set(Array.isArray(rooms) ? rooms : [rooms]));
  }

  /** For joins that nobody awaits: an adapter that fails is reported. */
  _joinContained(rooms: Room | Room[]): void {
    this.server._guard.call(() => this.join(rooms), this, ["join"], this);
  }

  leave(room: Room): Promise<void> | void {
    debug("%s leaves %s", this.id, room);
    return this.adapter.del(this.id, room);
  }

  leaveAll(): void {
    this.adapter.delAll(this.id);
  }

  // Receiving.

  _onpacket(packet: Packet): void {
    switch (packet.type) {
      case PacketType.EVENT:
        return this.onevent(packet);
      case PacketType.ACK:
        return this.onack(packet);
      case PacketType.DISCONNECT:
        this._onclose(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT);
    }
  }

  onevent(packet: Packet): void {
    const event = packet.data as unknown[] | undefined;
    if (event === undefined || this.server._draining) return;
    if (packet.id !== undefined) event.push(this.ack(packet.id));
    if (this._any !== undefined) this._any.call(this.server._guard, this, event);
    this.dispatch(event);
  }

  /** The function that answers an event: its first call counts. */
  ack(id: number): Callback {
    let sent = false;
    return (...args) => {
      if (sent) return;
      if (!this._closed) this.packet({ type: PacketType.ACK, nsp: this.nsp.name, id, data: args });
      // What cannot be sent has not been: something else may be.
      sent = true;
    };
  }

  dispatch(event: unknown[]): void {
    if (this.fns === undefined) {
      this._admit(event);
      return;
    }
    runMiddlewareChain(this.fns, [event], (error) => {
      if (!error) this._admit(event);
      else if (this._handles(event[0])) this._refuseEvent(event, error);
      else this._onerror(error);
    });
  }

  _admit(event: unknown[]): void {
    // A catch-all listener or a middleware may have ended it.
    if (!this.connected) return;
    const { _contract: contract } = this.nsp;
    if (contract === undefined) this._hear(event);
    else admitEvent(contract, this, event);
  }

  _hear(event: unknown[]): void {
    const { _guard: guard } = this.server;
    const handled = this._handlerOf(event[0]);
    if (this._unheard !== undefined && handled === undefined && this.listenerCount(event[0] as string) === 0) {
      guard.callWithName(this._unheard, this, event, this);
      return;
    }
    guard.deliver(this, event, this);
    const running = handled?.run(this, event);
    if (running !== undefined) guard.watch(running, event, this);
  }

  onUnheard(listener: Callback): this {
    this._unheard = listener;
    return this;
  }

  _handlerOf(event: unknown): HandledEvent | undefined {
    // For listeners, 5 and "5" are one name.
    const name = typeof event === "number" ? String(event) : event;
    return this._handled?.get(name) ?? this.nsp._handlerOf(name);
  }

  _handles(event: unknown): boolean {
    return this._handlerOf(event) !== undefined;
  }

  /** Tells the client if it waits for an answer, else whoever listens for `error`. */
  _refuseEvent(event: readonly unknown[], error: unknown): void {
    const ack = event.length > 1 ? event.at(-1) : undefined;
    if (typeof ack === "function") (ack as Callback)(refusalAnswer(error));
    else this._onerror(error);
  }

  /** Adds the handler of an event, whose return value is the acknowledgement. */
  handle(event: string, ...stepsAndHandler: unknown[]): this {
    this._handled ??= new Map();
    addHandler(this._handled, event, stepsAndHandler);
    return this;
  }

  onack(packet: Packet): void {
    const id = packet.id as number;
    const ack = this._acks?.get(id);
    if (ack === undefined) return;
    this.acks.delete(id);
    this.server._guard.call(ack, this, ["ack", ...((packet.data as unknown[] | undefined) ?? [])], this);
  }

  _dropAck(id: number): void {
    this._acks?.delete(id);
  }

  /** Adds a middleware for incoming events. */
  use(middleware: EventMiddleware): this {
    this.fns ??= [];
    this.fns.push(middleware);
    return this;
  }

  /** Called by adapters for each packet they broadcast to this socket. */
  notifyOutgoingListeners(packet: Packet): void {
    this._anyOutgoing?.call(this.server._guard, this, packet.data as unknown[]);
  }

  // Its life, told by the namespace and the client.

  /** Called once the socket is in its namespace. */
  _onconnect(): void {
    debug("%s is connected to %s%s", this.id, this.nsp.name, this.recovered ? ", recovered" : "");
    this.connected = true;
    this._joinContained(this.id);
    // Looked at as late as this, for it may have missed more while the middlewares ran.
    const missed = this._previousSession?.missedPackets;
    this._previousSession = undefined;
    for (const data of missed ?? []) this.packet({ type: PacketType.EVENT, nsp: this.nsp.name, data });
    const data = this.pid === undefined ? { sid: this.id } : { sid: this.id, pid: this.pid };
    this.packet({ type: PacketType.CONNECT, nsp: this.nsp.name, data });
  }

  /** The one way out of a connected socket. */
  _onclose(reason: string, description?: unknown): this | undefined {
    if (!this.connected || this._closing) return this;
    this._closing = true;
    debug("%s leaves %s: %s", this.id, this.nsp.name, reason);
    const { _guard: guard } = this.server;
    guard.deliver(this, ["disconnecting", reason, description], this);
    if (this._isRecoverable(reason)) guard.call(this._persist, this, ["persistSession"], this);
    this._cleanup();
    this.client._remove(this);
    this.connected = false;
    this._acks = undefined;
    guard.deliver(this, ["disconnect", reason, description], this);
    return this;
  }

  _isRecoverable(reason: string): boolean {
    const { connectionStateRecovery } = this.server.opts;
    return connectionStateRecovery !== undefined && !this.client._unrecoverable && RECOVERABLE_REASONS.has(reason);
  }

  _persist(): void {
    const rooms = [...this.rooms];
    this.adapter.persistSession({ sid: this.id, pid: this.pid, rooms, data: this.data });
  }

  /** Ends before it was connected; a session that came back with it can come back again. */
  _abandon(): void {
    if (this.recovered && !this._closed && !this.client._unrecoverable) {
      this.server._guard.call(this._persist, this, ["persistSession"], this);
    }
    this._cleanup();
  }

  /** Leaves its rooms and its namespace, for good: it can join none any more. */
  _cleanup(): void {
    // Once: a socket that comes back has the same id, and its rooms.
    if (this._closed) return;
    this._closed = true;
    this.leaveAll();
    this.nsp._remove(this);
  }

  _onerror(error: unknown): void {
    debug("%s fails: %s", this.id, error);
    this.server._guard.deliver(this, ["error", error], this);
  }

  /** Tells the client that it may not connect. */
  _error(data: unknown): void {
    this.packet({ type: PacketType.CONNECT_ERROR, nsp: this.nsp.name, data });
  }

  disconnect(close = false): this {
    if (!this.connected || this._closing) return this;
    if (close) {
      this.client._disconnect();
    } else {
      this.packet({ type: PacketType.DISCONNECT, nsp: this.nsp.name });
      this._onclose(DisconnectReason.SERVER_NAMESPACE_DISCONNECT);
    }
    return this;
  }

  /**
   * Makes the client connect anew: nothing of it can be recovered any more, and its connection closes as if it was
   * lost. Stock clients come back, and every middleware runs.
   *
   * @param reason - description of the `disconnect` event of all its sockets
   */
  rehandshake(reason?: string): void {
    this.client._rehandshake(reason);
  }
}

/** Secret of one recoverable session; after the dot, how the offsets begin that it may be sent. */
function privateSessionId(offsetTag: string | undefined): string {
  return offsetTag === undefined ? generateSessionId() : `${generateSessionId()}.${offsetTag}`;
}
