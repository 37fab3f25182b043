import { EventEmitter } from "node:events";
import type { Contract } from "@plugboard/contract";
import { createDebug, runMiddlewareChain } from "@plugboard/engine/internal";
import type { Adapter, Room, Session, SocketId } from "./adapter-contract.js";
import { BroadcastOperatorImplementation } from "./broadcast-operator.js";
import { addHandler } from "./event-handlers.js";
import type { HandledEvent } from "./event-parts.js";
import type {
  AuthData,
  Callback,
  ClientPart,
  ConnectionMiddleware,
  NamespacePart,
  ServerPart,
  SocketPart,
} from "./parts.js";
import { JOIN_ROOM, LEAVE_ROOM, RoomPermissions, type RoomCheck } from "./room-permissions.js";
import { END_SOCKETS } from "./socket-ending.js";
import { SocketImplementation } from "./socket.js";

const debug = createDebug("socket.io:namespace");

const RESERVED_SERVER_EVENTS: ReadonlySet<unknown> = new Set(["connect", "connection", "new_namespace"]);

/** Sockets that share middlewares, rooms and broadcasts (spec/server.md 3.4). */
export class NamespaceImplementation extends EventEmitter implements NamespacePart {
  static override readonly name: string = "Namespace";
  readonly name: string;
  readonly server: ServerPart;
  readonly sockets: Map<SocketId, SocketPart> = new Map();
  readonly _preConnectSockets: Map<SocketId, SocketPart> = new Map();
  adapter!: Adapter;
  _fns: ConnectionMiddleware[] = [];
  _contract: Contract | undefined = undefined;
  /** Handlers for all its sockets, by event. Made on first use. */
  _handled: Map<unknown, HandledEvent> | undefined = undefined;
  /** What a dynamic namespace was made from: its handlers and room permissions count here too. */
  _parent: NamespaceImplementation | undefined = undefined;
  _roomPermissions: RoomPermissions | undefined = undefined;
  _ids = 0;
  /** With recovery: the sockets that are here or about to be, by their secret. */
  _recoverable: Map<string, SocketPart> | undefined = undefined;
  /** Clients whose session is being looked for. */
  _restoring = 0;
  /** Called when the last socket is gone: a dynamic namespace may go then. */
  _onEmpty: (() => void) | undefined = undefined;

  constructor(server: ServerPart, name: string) {
    super();
    this.server = server;
    this.name = name;
    debug("%s is made", name);
    this._initAdapter();
  }

  /** Replaces the adapter; what the former one knew of rooms is lost. */
  _initAdapter(): void {
    this.adapter = this.server._createAdapter(this);
    // It may connect to something that is down right now, which must not end the process.
    this.server._guard.call(() => this.adapter.init(), this.adapter, ["init"]);
  }

  // Admission.

  use(middleware: ConnectionMiddleware): this {
    if (typeof middleware !== "function")
      throw new TypeError("a middleware has to be a function: (socket, next) => ...");
    this._fns.push(middleware);
    return this;
  }

  run(socket: SocketPart, done: (error?: unknown) => void): void {
    runMiddlewareChain(this._middlewaresFor(socket), [socket], done);
  }

  /** Those of the server first; a recovered socket passes by those of the namespace. */
  _middlewaresFor({ recovered }: SocketPart): readonly ConnectionMiddleware[] {
    const { _admissions, opts } = this.server;
    if (recovered && opts.connectionStateRecovery?.skipMiddlewares) return _admissions;
    return _admissions.length === 0 ? this._fns : [..._admissions, ...this._fns];
  }

  /**
   * Lets a client in, if the middlewares agree (spec/server.md 2.7, 3.5).
   *
   * @param onSettled - gets the socket before the listeners of `connection`; undefined when it was refused
   */
  _add(client: ClientPart, auth: AuthData, onSettled: (socket: SocketPart | undefined) => void): void {
    const restored = this._restoreSession(client, auth);
    if (restored === undefined) {
      this._admit(this._createSocket(client, auth), onSettled);
      return;
    }
    this._restoring++;
    const proceed = (session: Session | null): void => {
      this._restoring--;
      if (client._ended) {
        if (session !== null && !client._unrecoverable) this._keepSession(session);
        return this._checkEmpty();
      }
      this._admit(this._createSocket(client, auth, session), onSettled);
    };
    // An adapter that cannot tell counts as one that knows of no session.
    restored.then(proceed, () => proceed(null));
  }

  _restoreSession(client: ClientPart, auth: AuthData): Promise<Session | null> | undefined {
    const { pid, offset, sids } = auth;
    if (!this.server.opts.connectionStateRecovery) return undefined;
    if (typeof pid !== "string" || typeof offset !== "string") return undefined;
    const former = this._recoverable?.get(pid)?.client;
    // A client often knows sooner than we that its connection is lost. That it is the same one it shows by the secret id of
    // that connection, which nobody finds in what clients said when they came back.
    if (former !== undefined && Array.isArray(sids) && sids.includes(former.id)) former._supersede();
    const restored = new Promise<Session | null>((resolve) => resolve(this.adapter.restoreSession(pid, offset)));
    return restored.then((session) => this.server._recoveries.confirm(session, { namespace: this, client, auth }));
  }

  /** Gives back what was restored for a client that is gone again. */
  _keepSession({ sid, pid, rooms, data }: Session): void {
    const { adapter, server } = this;
    server._guard.call(() => adapter.persistSession({ sid, pid, rooms, data }), adapter, ["persistSession"]);
  }

  _createSocket(client: ClientPart, auth: AuthData, session?: Session | null): SocketPart {
    return new SocketImplementation(this, client, auth, session);
  }

  _admit(socket: SocketPart, onSettled: (socket: SocketPart | undefined) => void): void {
    const { client } = socket;
    this._preConnectSockets.set(socket.id, socket);
    if (socket.pid !== undefined) (this._recoverable ??= new Map()).set(socket.pid, socket);
    client._onPending(socket);
    if (socket.recovered && this._middlewaresFor(socket).length === 0) {
      this._settle(socket, undefined, onSettled);
      return;
    }
    this.run(socket, (error) => process.nextTick(() => this._settle(socket, error, onSettled)));
  }

  _settle(socket: SocketPart, error: unknown, onSettled: (socket: SocketPart | undefined) => void): void {
    const { client } = socket;
    if (client._ended || client.conn.readyState !== "open" || this.server._draining) {
      socket._abandon();
      onSettled(undefined);
    } else if (error) {
      socket._cleanup();
      onSettled(undefined);
      debug("%s refuses %s: %s", this.name, socket.id, error);
      client._refuse(this.name, error);
    } else {
      this._doConnect(socket, onSettled);
    }
  }

  _doConnect(socket: SocketPart, onSettled: (socket: SocketPart | undefined) => void): void {
    debug("%s lets %s in", this.name, socket.id);
    this._preConnectSockets.delete(socket.id);
    this.sockets.set(socket.id, socket);
    onSettled(socket);
    socket._onconnect();
    // Writing may have told that the connection is gone.
    if (!socket.connected) return;
    this.emitReserved("connect", socket);
    this.emitReserved("connection", socket);
  }

  _remove(socket: SocketPart): void {
    debug("%s is left by %s", this.name, socket.id);
    this.sockets.delete(socket.id);
    this._preConnectSockets.delete(socket.id);
    const { pid } = socket;
    if (pid !== undefined && this._recoverable?.get(pid) === socket) this._recoverable.delete(pid);
    this._checkEmpty();
  }

  _checkEmpty(): void {
    if (this.sockets.size + this._preConnectSockets.size + this._restoring === 0) this._onEmpty?.();
  }

  // Events of the namespace itself.

  /** Calls the listeners of an event, where `emit` would send it to the clients. */
  emitReserved(event: string, subject: SocketPart | NamespacePart): boolean {
    const heard = this.listenerCount(event) > 0;
    this.server._guard.deliver(this, [event, subject], event === "new_namespace" ? undefined : subject);
    return heard;
  }

  emitUntyped(event: string, ...args: unknown[]): boolean {
    const heard = this.listenerCount(event) > 0;
    this.server._guard.deliver(this, [event, ...args]);
    return heard;
  }

  // Events of all its sockets.

  /** From now on only events of the contract go in and out, validated. */
  useContract(contract: Contract): this {
    this._contract = contract;
    return this;
  }

  /** Adds the handler of an event for all its sockets; its return value is the acknowledgement. */
  handle(event: string, ...stepsAndHandler: unknown[]): this {
    this._handled ??= new Map();
    addHandler(this._handled, event, stepsAndHandler);
    return this;
  }

  _handlerOf(event: unknown): HandledEvent | undefined {
    return this._handled?.get(event) ?? this._parent?._handlerOf(event);
  }

  /** Lets clients ask for the rooms that match a pattern. */
  authorize(pattern: string, check: RoomCheck): this {
    if (this._roomPermissions === undefined) {
      const permissions = new RoomPermissions(this._parent);
      this.handle(JOIN_ROOM, permissions.join).handle(LEAVE_ROOM, permissions.leave);
      this._roomPermissions = permissions;
    }
    this._roomPermissions.add(pattern, check);
    return this;
  }

  // Broadcasts.

  override emit(...data: unknown[]): boolean {
    return this._newBroadcast().emit(...data);
  }

  send(...args: unknown[]): this {
    this.emit("message", ...args);
    return this;
  }

  write(...args: unknown[]): this {
    return this.send(...args);
  }

  to(room: Room | Room[]): BroadcastOperatorImplementation {
    return this._newBroadcast().to(room);
  }

  in(room: Room | Room[]): BroadcastOperatorImplementation {
    return this._newBroadcast().in(room);
  }

  except(room: Room | Room[]): BroadcastOperatorImplementation {
    return this._newBroadcast().except(room);
  }

  compress(compress: boolean): BroadcastOperatorImplementation {
    return this._newBroadcast().compress(compress);
  }

  get volatile(): BroadcastOperatorImplementation {
    return this._newBroadcast().volatile;
  }

  get local(): BroadcastOperatorImplementation {
    return this._newBroadcast().local;
  }

  timeout(timeoutMs: number): BroadcastOperatorImplementation {
    return this._newBroadcast().timeout(timeoutMs);
  }

  allSockets(): Promise<Set<SocketId>> {
    return this._newBroadcast().allSockets();
  }

  fetchSockets(): Promise<unknown[]> {
    return this._newBroadcast().fetchSockets();
  }

  socketsJoin(room: Room | Room[]): void {
    this._newBroadcast().socketsJoin(room);
  }

  socketsLeave(room: Room | Room[]): void {
    this._newBroadcast().socketsLeave(room);
  }

  disconnectSockets(close = false): void {
    this._newBroadcast().disconnectSockets(close);
  }

  _newBroadcast(): BroadcastOperatorImplementation {
    return new BroadcastOperatorImplementation(this.adapter);
  }

  // The other servers.

  serverSideEmit(...event: unknown[]): boolean {
    if (RESERVED_SERVER_EVENTS.has(event[0])) throw new Error(`"${String(event[0])}" is a reserved event name`);
    this.adapter.serverSideEmit(event);
    return true;
  }

  serverSideEmitWithAck(...event: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ack = (error: (Error & { responses?: unknown }) | null, responses: unknown): void => {
        if (!error) return resolve(responses);
        error.responses = responses;
        reject(error);
      };
      this.serverSideEmit(...event, ack as Callback);
    });
  }

  /** Called by adapters for an event that another server sent. */
  _onServerSideEmit(event: unknown[]): void {
    if (event[0] === END_SOCKETS) this.server._endLocalSockets(event[1]);
    else this.server._guard.deliver(this, event);
  }
}
