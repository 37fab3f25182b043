import type { EnginePacket, OutgoingEnginePacket } from "@plugboard/protocol";
import { Emitter } from "../emitter.js";
import type { EngineOptions } from "../engine/engine-options.js";
import { type BinaryType, type Host, webHost } from "../host.js";
import { type Query, queryString } from "../query-string.js";
import { type StartTimer, timersFor } from "../timers.js";
import { bracketed } from "../url.js";
import { transportError } from "./transport-error.js";

/** An outgoing packet and what is known of how to send it. */
export interface WritePacket extends OutgoingEnginePacket {
  readonly options?: { readonly compress?: boolean | undefined } | undefined;
}

/** What a transport may ask of the engine it belongs to. */
export interface TransportOwner {
  readonly _host: Host;
  readonly binaryType: BinaryType;
}

/** Options of one transport: those of the engine, those of `transportOptions` for its name, and its own query. */
export interface TransportOptions extends Partial<EngineOptions> {
  query?: Query;
  /** The engine; without one a transport can still build its URI and open. */
  socket?: TransportOwner;
}

/** Constructor of a transport, as the option `transports` takes it. Its prototype carries the name. */
export interface TransportConstructor {
  new (options: any): Transport;
}

/** From opening to closed. A transport that is pausing or paused belongs to a connection that is being upgraded. */
export type TransportState = "opening" | "open" | "pausing" | "paused" | "closed";

/**
 * Bytes of one session. A transport of your own extends this class, says its `name`, implements `doOpen`, `doClose` and
 * `write`, and calls `onOpen`, `onData` or `onPacket`, `onClose` and `onError` as things happen (spec/client.md 2.10).
 *
 * Events, for the engine: `open()`, `packet(packet)`, `drain()` (the batch handed to `write` is out and `writable` is true
 * again), `error(error)`, `close(details?)`.
 */
export abstract class Transport extends Emitter {
  /** Options merged from engine, `transportOptions` and query. */
  readonly opts: TransportOptions;
  readonly query: Query;
  readonly socket: TransportOwner | undefined;
  readonly _host: Host;
  readonly _startTimer: StartTimer;
  readyState: TransportState | undefined = undefined;
  /** Whether `send` may be called now. */
  writable = false;
  /** Whether bytes travel as they are instead of as base64. */
  supportsBinary: boolean;

  constructor(options: TransportOptions) {
    super();
    this.opts = options;
    this.query = options.query ?? {};
    this.socket = options.socket;
    this._host = options.socket?._host ?? webHost;
    this._startTimer = timersFor(options);
    this.supportsBinary = !options.forceBase64;
  }

  /** Name on the wire: `polling`, `websocket`, `webtransport`. */
  abstract get name(): string;

  /** Begins to connect and ends with a call of `onOpen` or `onError`. */
  abstract doOpen(): void;

  /** Ends the connection, whatever state it is in. */
  abstract doClose(): void;

  /** Sends a batch while `writable`; sets `writable` to false and, when the batch is out, back to true and emits `drain`. */
  abstract write(packets: readonly WritePacket[]): void;

  open(): this {
    this.readyState = "opening";
    try {
      this.doOpen();
    } catch (error) {
      // An invalid URL, or a host that has no such thing.
      this.emitReserved("error", error);
    }
    return this;
  }

  close(): this {
    if (this.readyState !== undefined && this.readyState !== "closed") {
      this.doClose();
      this.onClose();
    }
    return this;
  }

  send(packets: readonly WritePacket[]): void {
    if (this.readyState === "open") this.write(packets);
  }

  /** Stops receiving and calls back once nothing is under way any more: an upgrade is about to take over. */
  pause(onPause: () => void): void {
    onPause();
  }

  /** Goes on after `pause`: the upgrade failed at the last moment. */
  _resume(): void {}

  /** The batch is out. */
  onDrain(): void {
    if (this.readyState === "closed") return;
    this.writable = true;
    this._tell("drain");
  }

  onOpen(): void {
    this.readyState = "open";
    this.writable = true;
    this.emitReserved("open");
  }

  /** Takes one encoded packet. */
  onData(data: string | Uint8Array | ArrayBuffer): void {
    this.onPacket(this._host.codec.decodePacket(data));
  }

  /** The reverse of `onData`. */
  encode(packet: WritePacket): string | Uint8Array {
    return this._host.codec.encodePacket(packet, this.supportsBinary);
  }

  /** Bytes are handed over as the engine's `binaryType` says. */
  onPacket(packet: EnginePacket): void {
    const { data } = packet;
    if (typeof data === "object") {
      packet.data = convertBytes(data, this.socket?.binaryType ?? this._host.binaryType) as Uint8Array;
    }
    this._tell("packet", packet);
  }

  onError(message: string, description?: unknown, context?: unknown): this {
    return this.emitReserved("error", transportError(message, description, context));
  }

  onClose(details?: unknown): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.writable = false;
    this.emitReserved("close", details);
  }

  /** `schema://host[:port]path?query`; the port is left out where it is the scheme's own. */
  createUri(schema: string, query: Query): string {
    const { hostname = "", port, path = "", secure } = this.opts;
    const ownPort = port && Number(port) !== (secure ? 443 : 80) ? ":" + port : "";
    const search = queryString(query);
    return `${schema}://${bracketed(hostname)}${ownPort}${path}${search && "?" + search}`;
  }
}

/** The host's own bytes are those of its default type. */
function convertBytes(bytes: Uint8Array, type: BinaryType): Uint8Array | ArrayBufferLike | Blob {
  if (type === "blob") return new Blob([bytes as Uint8Array<ArrayBuffer>]);
  if (type !== "arraybuffer") return bytes;
  const { buffer, byteOffset, byteLength } = bytes;
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
