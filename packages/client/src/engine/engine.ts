import type { EnginePacket } from "@plugboard/protocol";
import { debugFor } from "../debug.js";
import { Emitter, subscribe } from "../emitter.js";
import type { BinaryType, Host } from "../host.js";
import { parseQuery, type Query } from "../query-string.js";
import { nextTick, type StartTimer, timersFor } from "../timers.js";
import type { Transport, TransportConstructor, TransportOwner, WritePacket } from "../transports/transport.js";
import { pageLocation, parseAuthority, parseUrl } from "../url.js";
import type { EngineOptions } from "./engine-options.js";
import { onBeforeUnload, onOffline } from "./page-events.js";

const debug = PLUGBOARD_DEBUG && debugFor("engine.io-client:socket");

/** Where a client runs and what it can connect with there. */
export interface Platform {
  readonly host: Host;
  /** By name, in the order in which they are tried. Looked at whenever an engine is made. */
  readonly transports: { [name: string]: TransportConstructor };
  /** What connections are made of: {@link Engine} where there is one transport, `UpgradingEngine` where there are several. */
  readonly Engine: new (uri: string | undefined, options: Partial<EngineOptions>, platform: Platform) => Engine;
}

/** How a packet is to be written. */
export interface WriteOptions {
  /** Default: true. */
  readonly compress?: boolean | undefined;
}

/** What the server says first. */
export interface Handshake {
  readonly sid: string;
  readonly upgrades?: readonly string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload?: number;
}

/** Longest time a timer can wait; beyond, it would not wait at all. */
const MAX_TIMER_MS = 2 ** 31;

const defaultWriteOptions: WriteOptions = { compress: true };
const uncompressed: WriteOptions = { compress: false };

/**
 * One Engine.IO 4 connection, from the handshake to its close; a new one is made for each attempt (spec/client.md 2). It
 * uses the first transport of its options and stays with it. Methods with an underscore are for `UpgradingEngine`, which
 * knows what to do with several.
 *
 * Events: `open`, `handshake(data)`, `packet`, `packetCreate`, `data`, `message`, `drain`, `flush`, `heartbeat`, `ping`,
 * `pong`, `error`, `upgrading`, `upgrade`, `upgradeError`, `close(reason, description?)`.
 */
export class Engine extends Emitter implements TransportOwner {
  readonly _host: Host;
  readonly opts: Partial<EngineOptions> & { query: Query };
  readonly _startTimer: StartTimer;
  /** Of the session, while it is open. */
  id: string | null | undefined = undefined;
  /** How bytes are handed over; may be set at any time. */
  binaryType: BinaryType;
  readyState: "opening" | "open" | "closing" | "closed" | undefined = undefined;
  /** Waiting packets, and those under way at their head. */
  writeBuffer: WritePacket[] = [];
  declare transport: Transport;
  /** When the server's next ping is overdue, in milliseconds since 1970; 0 once that was noticed. */
  _pingTimeoutTime: number = Infinity;
  /** Those that were not tried in vain; the first one is in use at first. */
  _transports: TransportConstructor[];

  _underWay = 0;
  _heartbeatMs = 0;
  _stopPingTimer: (() => void) | undefined = undefined;
  _cleanups: Array<() => void> = [];
  _constructing = true;
  /** Whether the bytes of the first packet are still being read from a Blob. */
  _isReading = false;

  /**
   * @param uri - URL of the server; its query replaces the option
   * @throws Error `CLIENT_URL_INVALID`
   * @throws TypeError when a transport is named that does not exist, or transports are given in both ways
   */
  constructor(uri: string | undefined, options: Partial<EngineOptions>, { host, transports }: Platform) {
    super();
    this._host = host;
    this.binaryType = host.binaryType;
    this._startTimer = timersFor(options);
    this.opts = normalise(uri, options);
    this._transports = chooseTransports(options, transports);
    // Silently: a page that is left has nobody to tell.
    if (options.closeOnBeforeunload) this._cleanups.push(onBeforeUnload(() => this.transport.off().close()));
    if (this.opts.hostname !== "localhost") {
      this._cleanups.push(
        onOffline(() => this._onClose("transport close", { description: "network connection lost" })),
      );
    }
    this._open();
    this._constructing = false;
  }

  /** Whether `data` may be late: a laptop that slept got no ping and its timers did not run (spec/client.md 2.6). */
  _hasPingExpired(): boolean {
    const hasExpired = Date.now() > this._pingTimeoutTime;
    if (hasExpired && this._pingTimeoutTime > 0) {
      this._pingTimeoutTime = 0;
      nextTick(() => this._onClose("ping timeout"));
    }
    return hasExpired;
  }

  /**
   * Sends a message; after `close` nothing happens.
   * @param callback - called once the message was handed to the transport
   */
  write(data: unknown, options?: WriteOptions | (() => void), callback?: () => void): this {
    if (typeof options === "function") return this.write(data, undefined, options);
    const message: WritePacket = {
      type: "message",
      data: data as string,
      options: options?.compress === false ? uncompressed : defaultWriteOptions,
    };
    return this._isOpen() ? this._queue(message, callback) : this;
  }

  send(data: unknown, options?: WriteOptions | (() => void), callback?: () => void): this {
    return this.write(data, options, callback);
  }

  /** Closes once everything written before is out. */
  close(): this {
    if (this._isOpen()) {
      this.readyState = "closing";
      this._closeWhenIdle();
    }
    return this;
  }

  _isOpen(): boolean {
    return this.readyState === "opening" || this.readyState === "open";
  }

  _closeWhenIdle(): void {
    if (this.writeBuffer.length > 0) this.once("drain", () => this._closeWhenIdle());
    else this._onClose("forced close");
  }

  /** Opens the first transport. */
  _open(): void {
    const [Transport] = this._transports;
    if (Transport === undefined) {
      // For a listener that is added after the constructor.
      this._startTimer(() => this.emitReserved("error", "No transports available"), 0);
      return;
    }
    this.readyState = "opening";
    try {
      this._takeOver(this._create(Transport));
      this.transport.open();
    } catch (error) {
      this._fail(error);
    }
  }

  _create(Transport: TransportConstructor): Transport {
    const name = nameOf(Transport);
    const query: Query = { ...this.opts.query, EIO: 4, transport: name };
    if (this.id) query["sid"] = this.id;
    return new Transport({ ...this.opts, query, socket: this, ...this.opts.transportOptions?.[name] });
  }

  /** Puts a transport in the place of the one there was. */
  _takeOver(transport: Transport): void {
    if (PLUGBOARD_DEBUG && debug) debug("transport %s", transport.name);
    this.transport?.off();
    this.transport = transport;
    subscribe(transport, {
      packet: (packet) => this._onPacket(packet),
      drain: () => this._onDrain(),
      error: (error) => this._fail(error),
      close: (details) => this._onClose("transport close", details),
    });
  }

  /** Sends what waits, if it can be sent. */
  _flush(): void {
    const { transport } = this;
    if (this.readyState === "closed" || this._isReading || !transport.writable) return;
    const batch = this._nextBatch();
    this._underWay = batch.length;
    if (batch.length > 0) {
      transport.send(batch);
      this._tell("flush");
    }
  }

  /** What the transport takes at once, from the head of the buffer; nothing if it is not ready to be sent. */
  _nextBatch(): WritePacket[] {
    const batch = this.writeBuffer.slice();
    const blobAt = batch.findIndex(({ data }) => isBlob(data));
    if (blobAt === 0) this._readBlob(batch[0] as WritePacket);
    if (blobAt >= 0) batch.length = blobAt;
    return batch;
  }

  /** Its place in the queue is kept until its bytes are there. */
  _readBlob(packet: WritePacket): void {
    this._isReading = true;
    (packet.data as unknown as Blob).arrayBuffer().then(
      (bytes) => {
        this._isReading = false;
        if (this.writeBuffer[0] === packet) this.writeBuffer[0] = { ...packet, data: bytes };
        this._flush();
      },
      (error: unknown) => this._fail(error),
    );
  }

  /** The session begins. */
  _onHandshake(handshake: Handshake): void {
    this.emitReserved("handshake", handshake);
    this.id = this.transport.query["sid"] = handshake.sid;
    this._heartbeatMs = handshake.pingInterval + handshake.pingTimeout;
    if (PLUGBOARD_DEBUG && debug) debug("open, session %s", handshake.sid);
    if (this.readyState === "opening") this.readyState = "open";
    this.emitReserved("open");
    this._flush();
    // A listener may have closed it.
    if ((this.readyState as string) !== "closed") this._expectPing();
  }

  /** The transport in use failed. */
  _fail(error: unknown): void {
    if (this._constructing) {
      // Nobody can listen yet.
      nextTick(() => this._fail(error));
      return;
    }
    if (PLUGBOARD_DEBUG && debug) debug("error %s", error);
    this.emitReserved("error", error);
    this._onClose("transport error", error);
  }

  _queue(packet: WritePacket, callback?: () => void): this {
    this._tell("packetCreate", packet);
    this.writeBuffer.push(packet);
    if (callback) this.once("flush", callback);
    this._flush();
    return this;
  }

  _onDrain(): void {
    const { writeBuffer } = this;
    if (this._underWay === writeBuffer.length) writeBuffer.length = 0;
    else writeBuffer.splice(0, this._underWay);
    this._underWay = 0;
    if (writeBuffer.length === 0) this._tell("drain");
    else this._flush();
  }

  _onPacket(packet: EnginePacket): void {
    if (this.readyState === "closed") return;
    this._tell("packet", packet);
    this._tell("heartbeat");
    const { type, data = "" } = packet;
    if (type === "message") {
      this._tell("data", data);
      this._tell("message", data);
    } else if (type === "ping") {
      // One answers for all: a server that does not take them must not fill the buffer.
      if (this.writeBuffer.every((waiting) => waiting.type !== "pong")) {
        this._queue({ type: "pong", options: defaultWriteOptions });
      }
      this.emitReserved("ping");
      this.emitReserved("pong");
      this._expectPing();
    } else if (type === "error" || (type === "open" && !this.id)) {
      const handshake = parseHandshake(data as string);
      if (handshake) this._onHandshake(handshake);
      else this._fail(Object.assign(new Error("server error"), { code: "parser error" }));
    }
  }

  _expectPing(): void {
    this._stopPingTimer?.();
    this._pingTimeoutTime = Date.now() + this._heartbeatMs;
    this._stopPingTimer = this._startTimer(() => this._onClose("ping timeout"), this._heartbeatMs, this.opts.autoUnref);
  }

  _onClose(reason: string, description?: unknown): void {
    if (!this.readyState || this.readyState === "closed") return;
    if (PLUGBOARD_DEBUG && debug) debug("close: %s", reason);
    this._stopPingTimer?.();
    for (const cleanup of this._cleanups) cleanup();
    // Closing may still fail, which interests nobody.
    this.transport?.off().close();
    this.readyState = "closed";
    this.id = null;
    this.emitReserved("close", reason, description);
    this.writeBuffer = [];
  }
}

function isBlob(data: unknown): boolean {
  return typeof Blob === "function" && data instanceof Blob;
}

/** The name of a transport class. */
export function nameOf(Transport: TransportConstructor): string {
  return (Transport.prototype as Transport).name;
}

/** Nothing if it is not what a server says: a session that can be asked for, and times that a timer can wait. */
function parseHandshake(json: string): Handshake | undefined {
  try {
    const handshake = JSON.parse(json) as Handshake;
    const { sid, upgrades, pingInterval, pingTimeout, maxPayload = 0 } = handshake;
    const heartbeatMs = pingInterval + pingTimeout;
    const isValid =
      typeof sid === "string" &&
      encodeURIComponent(sid) !== "" &&
      heartbeatMs > 0 &&
      heartbeatMs < MAX_TIMER_MS &&
      typeof maxPayload === "number" &&
      (upgrades === undefined || Array.isArray(upgrades));
    return isValid ? handshake : undefined;
  } catch {
    return undefined;
  }
}

/** Classes in their order; the list of the caller stays as it is. */
function chooseTransports(
  options: Partial<EngineOptions>,
  known: { [name: string]: TransportConstructor },
): TransportConstructor[] {
  const { transports, transportImplementations } = options;
  if (transports && transportImplementations) throw new TypeError("transports given twice");
  const chosen = transportImplementations ?? transports ?? Object.keys(known);
  return (chosen as Array<string | TransportConstructor>).map((entry) => {
    const Transport = typeof entry === "string" ? known[entry] : entry;
    if (typeof Transport !== "function") throw new TypeError(`unknown transport "${String(entry)}"`);
    return Transport;
  });
}

/** Address, path and query of the connection, from the URL, the options and the page, in that order. */
function normalise(
  uri: string | undefined,
  options: Partial<EngineOptions>,
): Partial<EngineOptions> & { query: Query } {
  const page = pageLocation();
  const hostname = options.host ? parseAuthority(options.host)[0] : options.hostname;
  const url = uri === undefined ? { ...options, host: hostname } : parseUrl(uri);
  const { host, port, secure = page?.protocol === "https:" } = url;
  const query: Query | string = url.query ?? options.query ?? {};
  return {
    ...options,
    secure,
    hostname: host || page?.hostname || "localhost",
    port: port || (!host && page?.port) || (secure ? "443" : "80"),
    path: (options.path ?? "/engine.io").replace(/\/?$/, options.addTrailingSlash === false ? "" : "/"),
    query: typeof query === "string" ? parseQuery(query) : { ...query },
  };
}
