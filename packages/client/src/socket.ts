import { type Packet, PacketType, RESERVED_EVENTS } from "@plugboard/protocol";
import { debugFor } from "./debug.js";
import type { Engine, WriteOptions } from "./engine/engine.js";
import { Emitter, type Listener, subscribe } from "./emitter.js";
import type { SocketOptions } from "./options.js";
import { nextTick, type StartTimer } from "./timers.js";

const debug = PLUGBOARD_DEBUG && debugFor("socket.io-client:socket");

/** A packet on its way to the server. */
export interface OutgoingPacket extends Packet {
  options?: WriteOptions;
}

/** What a socket needs of its manager. */
export interface SocketManager extends Emitter {
  readonly engine: Engine | undefined;
  readonly _startTimer: StartTimer;
  readonly _readyState: string;
  readonly _reconnecting: boolean;
  readonly _autoConnect: boolean;
  open(): unknown;
  _packet(packet: OutgoingPacket): void;
  _destroy(): void;
}

/** What is said about the next packet. */
interface Flags {
  readonly volatile?: boolean;
  readonly compress?: boolean;
  readonly timeout?: number;
  /** A try of the retry queue, which is not to be queued again. */
  readonly _fromQueue?: boolean;
}

/** An acknowledgement that waits; with `_withError` it gets an error, or null, first. */
interface Ack extends Listener {
  _withError?: boolean;
}

/** One packet of the retry queue. */
interface QueuedPacket {
  readonly _args: unknown[];
  readonly _flags: Flags;
  _tries: number;
  _pending: boolean;
}

/** Attempts to come back that the server may have noticed although no answer came. */
const MAX_FORMER_CONNECTIONS = 10;

const noFlags: Flags = {};

/** Most that a listener is called with: with many more the call itself fails, and what a server sends must not do that. */
const MAX_ARGUMENTS = 65_535;

/** What listeners for all events are called, by direction, in {@link ClientSocket._any} and at the end of their methods. */
const INCOMING = "Any";
const OUTGOING = "AnyOutgoing";

/** One client in one namespace (spec/client.md 4). The public type is `Socket` of `contract.ts`. */
export class ClientSocket extends Emitter {
  declare onAny: (listener: Listener) => this;
  declare prependAny: (listener: Listener) => this;
  declare offAny: (listener?: Listener) => this;
  declare listenersAny: () => readonly Listener[];
  declare onAnyOutgoing: (listener: Listener) => this;
  declare prependAnyOutgoing: (listener: Listener) => this;
  declare offAnyOutgoing: (listener?: Listener) => this;
  declare listenersAnyOutgoing: () => readonly Listener[];

  readonly io: SocketManager;
  readonly nsp: string;
  id: string | undefined = undefined;
  connected: boolean = false;
  recovered: boolean = false;
  auth: SocketOptions["auth"];
  /** Events that came before the namespace was joined. */
  receiveBuffer: unknown[][] = [];
  /** Packets that wait for the connection. */
  sendBuffer: OutgoingPacket[] = [];
  /** Acknowledgements awaited, by packet id. */
  acks: Map<number, Ack> = new Map<number, Ack>();
  /** With `retries`: what was not acknowledged yet. Only the head is under way. */
  _queue: QueuedPacket[] = [];

  readonly _options: SocketOptions;
  _nextId = 0;
  _flags: Flags = noFlags;
  _unsubscribe: (() => void) | undefined = undefined;
  /** Stands for one attempt to join, or for one stay; undefined when there is none. */
  _stay: object | undefined = undefined;
  _sessionId = "";
  _lastOffset: string | undefined = undefined;
  /** Ids of those that the session may be on in the eyes of the server: from the last that worked on. */
  _formerConnections: unknown[] = [];
  /** What offsets begin with, which our server says after a dot of its session ids; of other servers any string may be one. */
  _offsetTag = "";
  /** Hears all events, as {@link INCOMING} or {@link OUTGOING}. */
  readonly _any: Emitter = new Emitter();

  constructor(io: SocketManager, nsp: string, options: SocketOptions = {}) {
    super();
    this.io = io;
    this.nsp = nsp;
    this.auth = options.auth;
    this._options = options;
    if (io._autoConnect) this.connect();
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  get active(): boolean {
    return !!this._unsubscribe;
  }

  get volatile(): this {
    return this._with({ volatile: true });
  }

  compress(compress: boolean): this {
    return this._with({ compress });
  }

  timeout(timeout: number): this {
    return this._with({ timeout });
  }

  connect(): this {
    if (this.connected) return this;
    const { io } = this;
    this._unsubscribe ??= subscribe(io, {
      open: () => this._join(),
      packet: (packet) => {
        if (packet.nsp === this.nsp) this.onpacket(packet);
      },
      error: (error) => {
        if (!this.connected) this.emitReserved("connect_error", error);
      },
      close: (reason, description) => this._onClose(reason, description),
    });
    if (!io._reconnecting) io.open();
    if (io._readyState === "open") this._join();
    return this;
  }

  open(): this {
    return this.connect();
  }

  disconnect(): this {
    if (this.connected) this._send({ type: PacketType.DISCONNECT });
    this._leave();
    if (this.connected) this._onClose("io client disconnect");
    return this;
  }

  close(): this {
    return this.disconnect();
  }

  send(...args: unknown[]): this {
    return this.emit("message", ...args);
  }

  override emit(event: string, ...args: unknown[]): this {
    const flags = this._flags;
    this._flags = noFlags;
    if (RESERVED_EVENTS.has(event)) throw new Error(`"${event}" is a reserved event name`);
    args.unshift(event);
    if (this._options.retries && !flags._fromQueue && !flags.volatile) {
      this._enqueue(args, flags);
      return this;
    }
    const packet: OutgoingPacket = { type: PacketType.EVENT, nsp: this.nsp, data: args };
    if (flags.compress === false) packet.options = { compress: false };
    const { engine } = this.io;
    const dropped = flags.volatile && !engine?.transport?.writable;
    const ack = args.at(-1);
    if (typeof ack === "function") {
      args.pop();
      packet.id = this._nextId++;
      this._awaitAck(packet.id, ack as Ack, flags, dropped);
    }
    if (dropped) return this;
    // While the buffer is being emptied, what comes meanwhile has to wait its turn.
    if (this.connected && this.sendBuffer.length === 0 && !engine?._hasPingExpired()) this._sendEvent(packet);
    else this.sendBuffer.push(packet);
    return this;
  }

  emitWithAck(event: string, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ack: Ack = (error: unknown, value: unknown) => (error ? reject(error) : resolve(value));
      ack._withError = true;
      this.emit(event, ...args, ack);
    });
  }

  /** Takes a packet of this namespace from the manager. */
  onpacket(packet: Packet): void {
    const data = packet.data as any;
    switch (packet.type) {
      case PacketType.CONNECT:
        if (typeof data?.sid === "string") this._onConnect(data);
        else this.emitReserved("connect_error", new Error("Socket.IO 2 server"));
        break;
      case PacketType.EVENT:
        if (data?.length <= MAX_ARGUMENTS) this._onEvent(packet.id, data);
        break;
      case PacketType.ACK:
        this._onAck(packet.id as number, data?.length <= MAX_ARGUMENTS ? data : []);
        break;
      case PacketType.DISCONNECT:
        this._leave();
        this._onClose("io server disconnect");
        break;
      case PacketType.CONNECT_ERROR:
        this._leave();
        this.emitReserved(
          "connect_error",
          Object.assign(new Error(textOf(data?.message ?? data)), { data: data?.data }),
        );
    }
  }

  _with(flags: Flags): this {
    this._flags = { ...this._flags, ...flags };
    return this;
  }

  /** Asks the server to let this socket in, once per connection. */
  _join(): void {
    if (this._stay !== undefined) return;
    this._stay = {};
    const settle = this._onceDuringStay((failed: boolean, value: unknown) => {
      if (failed) {
        this._stay = undefined;
        this.emitReserved("connect_error", value);
      } else {
        const [pid, offset, former] = [this._sessionId, this._lastOffset, this._formerConnections];
        // Our server lets go of them, though it may not know yet that they are lost.
        const sids = this._offsetTag ? former : undefined;
        this._formerConnections = [...former.slice(1 - MAX_FORMER_CONNECTIONS), this.io.engine?.id];
        this._send({ type: PacketType.CONNECT, data: pid ? { pid, offset, sids, ...(value as object) } : value });
      }
    });
    this._askAuth(
      (data) => settle(false, data),
      (error) => settle(true, error),
    );
  }

  /** Finds out what `auth` is now. */
  _askAuth(answer: (data?: object) => void, fail: (error: unknown) => void): void {
    const { auth } = this;
    if (typeof auth !== "function") return answer(auth);
    try {
      // An async function answers with what it returns, unless it takes the callback.
      (auth as (callback: typeof answer) => Promise<object> | undefined).call(this, answer)?.then?.((data) => {
        if (data || auth.length === 0) answer(data);
      }, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** A function that does something once at most, and only as long as this stay goes on. */
  _onceDuringStay<Args extends unknown[]>(action: (...args: Args) => void): (...args: Args) => void {
    let stay = this._stay;
    return (...args) => {
      if (!stay || stay !== this._stay) return;
      stay = undefined;
      action(...args);
    };
  }

  /** No longer active; the manager closes when no socket is. */
  _leave(): void {
    if (!this._unsubscribe) return;
    this._unsubscribe();
    this._unsubscribe = this._stay = undefined;
    this.io._destroy();
  }

  _send(packet: Omit<OutgoingPacket, "nsp">): void {
    this.io._packet({ nsp: this.nsp, ...packet });
  }

  _sendEvent(packet: OutgoingPacket): void {
    this._any._dispatch(OUTGOING, packet.data as unknown[], this);
    this.io._packet(packet);
  }

  _onConnect({ sid, pid }: { readonly sid: string; readonly pid?: unknown }): void {
    if (PLUGBOARD_DEBUG && debug) debug("%s connected as %s", this.nsp, sid);
    const sessionId = typeof pid === "string" ? pid : "";
    this.id = sid;
    this.recovered = !!sessionId && this._sessionId === sessionId;
    // An offset of another session would make the server repeat what was never missed.
    if (!this.recovered) this._lastOffset = undefined;
    this._sessionId = sessionId;
    this._offsetTag = /\.(.{6})$/.exec(sessionId)?.[1] ?? "";
    this._formerConnections = [this.io.engine?.id];
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) guard(() => this._emitEvent(args));
    while (this.connected && this.sendBuffer.length > 0) {
      const [packet] = this.sendBuffer as [OutgoingPacket];
      guard(() => this._sendEvent(packet));
      // A listener may have taken it out already.
      if (this.sendBuffer[0] === packet) this.sendBuffer.shift();
    }
    guard(() => this._drainQueue(true));
    this.emitReserved("connect");
  }

  _onClose(reason: string, description?: unknown): void {
    if (PLUGBOARD_DEBUG && debug) debug("%s closed: %s", this.nsp, reason);
    this.connected = false;
    this._stay = this.id = undefined;
    this.emitReserved("disconnect", reason, description);
    const unsent = new Set(this.sendBuffer.map((packet) => packet.id));
    // A copy: what is sent meanwhile waits for the next connection.
    for (const [id, ack] of new Map(this.acks)) {
      if (unsent.has(id)) continue;
      this.acks.delete(id);
      if (ack._withError) ack.call(this, new Error("socket has been disconnected"));
    }
  }

  _onEvent(id: number | undefined, args: unknown[]): void {
    if (id !== undefined) {
      // After this stay the server knows nothing of the packet.
      args.push(this._onceDuringStay((...data) => this._send({ type: PacketType.ACK, id, data })));
    }
    // With recovery the server adds an offset to what it may have to repeat, which is nothing with an acknowledgement.
    // What it repeats comes before the namespace is joined. It is noted here, so that a connection that is lost meanwhile
    // does not bring it twice.
    const last = args.at(-1);
    if (this._sessionId && typeof last === "string" && last.startsWith(this._offsetTag)) this._lastOffset = last;
    if (this.connected) this._emitEvent(args);
    else this.receiveBuffer.push(args);
    // The server asks for new credentials. A listener that has answered was faster; when `auth` fails it asks again.
    if (id !== undefined && args[0] === "auth:expiring") this._askAuth(last as () => void, () => {});
  }

  _emitEvent(args: unknown[]): void {
    this._any._dispatch(INCOMING, args, this);
    this._dispatch(args[0] as string, args.slice(1));
  }

  _awaitAck(id: number, ack: Ack, flags: Flags, dropped: boolean | undefined): void {
    const timeout = flags.timeout ?? this._options.ackTimeout;
    let awaited = ack;
    if (timeout !== undefined) {
      const stop = this.io._startTimer(() => {
        this.acks.delete(id);
        this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
        ack.call(this, new Error("operation has timed out"));
      }, timeout);
      awaited = (...args) => {
        stop();
        ack.apply(this, args);
      };
      awaited._withError = true;
    }
    // One whose packet is dropped is settled by its time or, as a promise, at the latest when the connection is lost.
    if (!dropped || awaited._withError) this.acks.set(id, awaited);
  }

  _onAck(id: number, args: unknown[]): void {
    const ack = this.acks.get(id);
    this.acks.delete(id);
    if (ack?._withError) args.unshift(null);
    ack?.apply(this, args);
  }

  _enqueue(args: unknown[], flags: Flags): void {
    const ack = typeof args.at(-1) === "function" ? (args.pop() as Ack) : undefined;
    const packet: QueuedPacket = { _args: args, _flags: { ...flags, _fromQueue: true }, _tries: 0, _pending: false };
    const onAnswer: Ack = (error: unknown, ...answer: unknown[]) => {
      // An answer to an earlier try may come late.
      if (packet !== this._queue[0]) return;
      packet._pending = false;
      if (error === null || packet._tries > (this._options.retries as number)) {
        this._queue.shift();
        guard(() => ack?.call(this, error, ...answer));
      }
      this._drainQueue(false);
    };
    onAnswer._withError = true;
    args.push(onAnswer);
    this._queue.push(packet);
    this._drainQueue(false);
  }

  /** Sends the head of the queue; again, if the connection is a new one. */
  _drainQueue(again: boolean): void {
    const head = this._queue[0];
    if (!this.connected || !head || (head._pending && !again)) return;
    head._pending = true;
    head._tries++;
    this._flags = head._flags;
    try {
      this.emit(...(head._args as [string, ...unknown[]]));
    } catch (error) {
      // What cannot be encoded must not block the rest.
      this._queue.shift();
      this._drainQueue(false);
      throw error;
    }
  }

  static {
    for (const direction of [INCOMING, OUTGOING]) {
      for (const verb of ["on", "prepend", "off", "listeners"] as const) {
        (this.prototype as unknown as Record<string, Listener>)[verb + direction] = function (
          this: ClientSocket,
          listener: Listener,
        ): unknown {
          const result = this._any[verb](direction, listener);
          return verb === "listeners" ? result : this;
        };
      }
    }
  }
}

/** Of what a server gives for a message. */
function textOf(message: unknown): string {
  return typeof message === "object" ? "" : String(message);
}

/** What a listener throws is an uncaught error, and the rest goes on. */
export function guard(action: () => void): void {
  try {
    action();
  } catch (error) {
    nextTick(() => {
      throw error;
    });
  }
}
