import { Encoder, type Packet, PacketDecoder } from "@plugboard/protocol";
import { backoffDelay, type BackoffSettings } from "./backoff.js";
import { debugFor } from "./debug.js";
import { Emitter, subscribe } from "./emitter.js";
import type { Engine, Platform } from "./engine/engine.js";
import type { ManagerOptions, SocketOptions } from "./options.js";
import { ClientSocket, guard, type OutgoingPacket, type SocketManager } from "./socket.js";
import { type StartTimer, timersFor } from "./timers.js";

const debug = PLUGBOARD_DEBUG && debugFor("socket.io-client:manager");

/** Encoder and decoder of Socket.IO packets, as the option `parser` takes them. */
interface Parser {
  readonly Encoder: new () => { encode(packet: Packet): unknown[] };
  readonly Decoder: new () => ParserDecoder;
}

interface ParserDecoder {
  add(chunk: unknown): void;
  destroy(): void;
  on(event: "decoded", listener: (packet: Packet) => void): unknown;
}

/** Ours, which returns packets: it needs no emitter. */
interface OwnDecoder extends PacketDecoder {
  readonly add?: undefined;
  readonly on?: undefined;
}

/** What the methods named like options read and write. */
interface Settings extends BackoffSettings {
  reconnection: boolean;
  reconnectionAttempts: number;
  timeout: number | false;
}

/** The user's own server is trusted with more attachments than a server grants a client; their bytes are bounded all the same. */
const MAX_ATTACHMENTS = 10_000;

/** One connection and the sockets on it, opened again when it is lost (spec/client.md 3). The public type is `Manager` of `contract.ts`. */
export abstract class ClientManager extends Emitter implements SocketManager {
  engine: Engine | undefined = undefined;
  readonly opts: Partial<ManagerOptions>;
  readonly nsps: { [namespace: string]: ClientSocket } = {};
  readonly _startTimer: StartTimer;
  _readyState: "closed" | "opening" | "open" = "closed";
  _reconnecting: boolean = false;
  readonly _autoConnect: boolean;

  readonly _uri: string | undefined;
  abstract get _platform(): Platform;
  readonly _encoder: { encode(packet: Packet): unknown[] };
  readonly _decoder: ParserDecoder | OwnDecoder;
  readonly _settings: Settings;
  /** How many there were since the connection was last open. */
  _attempts = 0;
  _skipReconnect = false;
  /** What the current state has to undo when it ends. */
  _cleanups: Array<() => void> = [];

  constructor(uri?: string | Partial<ManagerOptions>, opts: Partial<ManagerOptions> = {}) {
    super();
    if (typeof uri === "object" && uri !== null) {
      opts = uri;
      uri = undefined;
    }
    opts.path ||= "/socket.io";
    this._uri = uri ?? undefined;
    this.opts = opts;
    this._startTimer = timersFor(opts);
    this._settings = {
      reconnection: opts.reconnection !== false,
      reconnectionAttempts: opts.reconnectionAttempts || Infinity,
      reconnectionDelay: opts.reconnectionDelay || 1000,
      reconnectionDelayMax: opts.reconnectionDelayMax || 5000,
      randomizationFactor: opts.randomizationFactor ?? 0.5,
      timeout: opts.timeout ?? 20_000,
    };
    const parser = opts.parser as Parser | undefined;
    this._encoder = new (parser?.Encoder ?? Encoder)();
    this._decoder = parser ? new parser.Decoder() : new PacketDecoder(MAX_ATTACHMENTS);
    this._decoder.on?.("decoded", (packet) => this._onPacket(packet));
    this._autoConnect = opts.autoConnect !== false;
    if (this._autoConnect) this.open();
  }

  reconnection(value?: boolean): boolean | this {
    return this._setting("reconnection", value);
  }

  reconnectionAttempts(value?: number): number | this {
    return this._setting("reconnectionAttempts", value);
  }

  reconnectionDelay(value?: number): number | this {
    return this._setting("reconnectionDelay", value);
  }

  reconnectionDelayMax(value?: number): number | this {
    return this._setting("reconnectionDelayMax", value);
  }

  randomizationFactor(value?: number): number | this {
    return this._setting("randomizationFactor", value);
  }

  timeout(value?: number | false): number | false | this {
    return this._setting("timeout", value);
  }

  connect(callback?: (error?: unknown) => void): this {
    return this.open(callback);
  }

  /** @param callback - called once, with an error if there was one; then nothing is tried again */
  open(callback?: (error?: unknown) => void): this {
    return this._open((error) => {
      callback?.(error);
      // Attempts that were due are off: this was one of them.
      if (error && (!callback || this._reconnecting)) {
        this._reconnecting = false;
        this._reconnect();
      }
    });
  }

  _open(callback: (error?: unknown) => void): this {
    if (this._readyState !== "closed") return this;
    const engine = (this.engine = new this._platform.Engine(this._uri, this.opts, this._platform));
    this._readyState = "opening";
    this._skipReconnect = false;
    const fail = (error: unknown): void => {
      if (PLUGBOARD_DEBUG && debug) debug("cannot open: %s", error);
      this._cleanUp();
      this._readyState = "closed";
      this.emitReserved("error", error);
      callback(error);
    };
    this._cleanups.push(
      subscribe(engine, {
        open: () => {
          this._onOpen(engine);
          callback();
        },
        error: fail,
        // Only an engine that was closed while it opened ends without an error.
        close: (reason) => fail(new Error(reason)),
      }),
    );
    const { timeout } = this._settings;
    if (timeout !== false) {
      this._schedule(() => {
        fail(new Error("timeout"));
        engine.close();
      }, timeout);
    }
    return this;
  }

  /** The socket of a namespace, made when there is none. The name is taken as it is. */
  socket(namespace: string, opts?: SocketOptions): ClientSocket {
    const socket = (this.nsps[namespace] ??= new ClientSocket(this, namespace, opts));
    // One that is new has done so already.
    if (this._autoConnect && !socket.active) socket.connect();
    return socket;
  }

  /** Whether a socket uses or wants the connection. */
  get _active(): boolean {
    return Object.values(this.nsps).some((socket) => socket.active);
  }

  _packet(packet: OutgoingPacket): void {
    for (const chunk of this._encoder.encode(packet)) this.engine?.write(chunk, packet.options);
  }

  _destroy(): void {
    if (!this._active) this._close();
  }

  _close(): void {
    this._skipReconnect = true;
    this._reconnecting = false;
    this._onClose("forced close");
  }

  _setting<Name extends keyof Settings>(name: Name, value: Settings[Name] | undefined): Settings[Name] | this {
    if (value === undefined) return this._settings[name];
    this._settings[name] = value;
    return this;
  }

  /** Does something later, unless the current state ends before. */
  _schedule(callback: () => void, ms: number): void {
    this._cleanups.push(this._startTimer(callback, ms, this.opts.autoUnref));
  }

  _cleanUp(): void {
    for (const cleanup of this._cleanups.splice(0)) cleanup();
    this._decoder.destroy();
  }

  _onOpen(engine: Engine): void {
    if (PLUGBOARD_DEBUG && debug) debug("open");
    this._cleanUp();
    this._readyState = "open";
    this._reconnecting = false;
    this._cleanups.push(
      subscribe(engine, {
        ping: () => this.emitReserved("ping"),
        data: (data) => this._onData(data),
        error: (error) => this.emitReserved("error", error),
        close: (reason, details) => this._onClose(reason, details),
      }),
    );
    this.emitReserved("open");
  }

  _onData(data: unknown): void {
    try {
      const decoder = this._decoder;
      if (decoder.add) decoder.add(data);
      else {
        const packet = decoder.decode(data);
        if (packet) this._onPacket(packet);
      }
    } catch (error) {
      this._onClose("parse error", error);
    }
  }

  _onPacket(packet: Packet): void {
    guard(() => this._tell("packet", packet));
  }

  _onClose(reason: string, details?: unknown): void {
    if (PLUGBOARD_DEBUG && debug) debug("closed: %s", reason);
    this._cleanUp();
    this.engine?.close();
    this._attempts = 0;
    this._readyState = "closed";
    this.emitReserved("close", reason, details);
    this._reconnect();
  }

  get _mayReconnect(): boolean {
    return this._settings.reconnection && !this._skipReconnect;
  }

  _reconnect(): void {
    const settings = this._settings;
    if (!this._mayReconnect || this._reconnecting) return;
    if (this._attempts >= settings.reconnectionAttempts) {
      this._attempts = 0;
      this.emitReserved("reconnect_failed");
      return;
    }
    const delay = backoffDelay(settings, this._attempts++);
    this._reconnecting = true;
    if (PLUGBOARD_DEBUG && debug) debug("attempt %d in %d ms", this._attempts, delay);
    this._schedule(() => {
      // Unless somebody else opened it meanwhile, who goes on if that fails.
      const isDue = this._mayReconnect && this._readyState === "closed";
      if (isDue) this.emitReserved("reconnect_attempt", this._attempts);
      // A listener may have thought better of it.
      if (!isDue || !this._mayReconnect) {
        this._reconnecting = false;
        return;
      }
      this._open((error) => {
        if (error) {
          this._reconnecting = false;
          this._reconnect();
          this.emitReserved("reconnect_error", error);
        } else {
          const attempts = this._attempts;
          this._attempts = 0;
          this.emitReserved("reconnect", attempts);
        }
      });
    }, delay);
  }
}
