import type { EngineCloseReason, EnginePacket, EnginePacketType } from "@plugboard/protocol";
import { ContainedEmitter, type ListenerErrorReport } from "./contained-emitter.js";
import type { SessionReceiver } from "./contract.js";
import { createDebug } from "./debug.js";
import type { HeaderFields } from "./http-port.js";
import type { ResolvedEngineOptions } from "./options.js";
import { NO_OPTIONS, queuedPacket, sizeOf, type MessageData } from "./queued-packet.js";
import {
  HEARTBEAT_TABLE,
  READY_TABLE,
  type HeartbeatEvent,
  type HeartbeatState,
  type ReadyEvent,
  type ReadyState,
} from "./session-states.js";
import { TransportError } from "./transport-error.js";
import { TransportUpgrade, type UpgradingSession } from "./transport-upgrade.js";
import {
  DEAF_EVENTS,
  type QueuedPacket,
  type SendCallback,
  type SendOptions,
  type Transport,
  type TransportEvents,
} from "./transports/transport.js";

/** What a session needs of the engine it belongs to. */
export interface SessionHost {
  readonly opts: ResolvedEngineOptions;
  /** Gets what listeners and send callbacks of the user throw or reject with. */
  readonly report: ListenerErrorReport;
  /** Arms the next ping, and disarms the deadline for the pong. */
  awaitPing(session: EngineSession): void;
  /** Arms the deadline for the pong. */
  awaitPong(session: EngineSession): void;
  /** Forgets the session. */
  onSessionEnd(session: EngineSession): void;
  upgrades(transport: string): string[];
  onSessionHeaders(session: EngineSession, headers: HeaderFields, request: unknown): void;
  onSessionFlush(session: EngineSession, batch: readonly QueuedPacket[]): void;
  onSessionDrain(session: EngineSession): void;
}

export interface SessionIdentity {
  readonly id: string;
  readonly protocol: number;
  readonly request: unknown;
  readonly remoteAddress: string | undefined;
}

const debug = createDebug("engine:socket");
const debugTransport = createDebug("engine:transport");

/** How long an orderly close may take: for what is queued to leave, and for the poll that carries the close. */
const CLOSE_TIMEOUT_MS = 30_000;

/**
 * One Engine.IO connection: it outlives the transports that carry it.
 *
 * Events (spec/server.md 1.13): `open`, `packet`, `packetCreate`, `data`, `message`, `heartbeat`, `flush`, `drain`,
 * `upgrading`, `upgrade`, `close`; and `idle` when nothing waits any more.
 */
export class EngineSession extends ContainedEmitter implements TransportEvents, UpgradingSession {
  static override readonly name: string = "Socket";
  readonly id: string;
  readonly protocol: number;
  readonly request: unknown;
  readonly remoteAddress: string | undefined;
  transport: Transport;
  writeBuffer: QueuedPacket[] = [];
  /** Bytes in the write buffer; texts count by their chars. */
  #queuedBytes = 0;
  /** Whether the client is not read from, because too much waits for it. */
  #paused = false;
  readonly #host: SessionHost;
  #readyState: ReadyState = "opening";
  /** Made when another transport comes. */
  #upgrade: TransportUpgrade | undefined = undefined;
  #heartbeat: HeartbeatState = "quiet";
  #closeTimer: ReturnType<typeof setTimeout> | undefined = undefined;
  #isAnnouncing = false;
  #headersSent = false;
  #receiver: SessionReceiver | undefined = undefined;
  /** Whether any packet in the write buffer has a callback. */
  #callbacksQueued = false;

  constructor(host: SessionHost, identity: SessionIdentity, transport: Transport) {
    super(host.report);
    this.id = identity.id;
    this.protocol = identity.protocol;
    this.request = identity.request;
    this.remoteAddress = identity.remoteAddress;
    this.#host = host;
    this.transport = transport;
    transport.events = this;
  }

  /** The engine. */
  get server(): SessionHost {
    return this.#host;
  }

  get readyState(): ReadyState {
    return this.#readyState;
  }

  /** Whether a candidate transport is being tried. */
  get upgrading(): boolean {
    return this.#upgrade?.state === "candidate" || this.#upgrade?.state === "probing";
  }

  get upgraded(): boolean {
    return this.#upgrade?.state === "upgraded";
  }

  /** Bytes that wait for the client: queued here, or handed to the transport and not yet taken by the system. */
  get bufferedAmount(): number {
    return this.#queuedBytes + this.transport.bufferedAmount;
  }

  /** Sends the handshake. */
  open(): void {
    const { pingInterval, pingTimeout, maxHttpBufferSize, initialPacket } = this.#host.opts;
    this.#move("handshake");
    debug("%s: opens over %s", this.id, this.transport.name);
    this.sendPacket(
      "open",
      JSON.stringify({
        sid: this.id,
        upgrades: this.#host.upgrades(this.transport.name),
        pingInterval,
        pingTimeout,
        maxPayload: maxHttpBufferSize,
      }),
    );
    if (initialPacket !== undefined) this.sendPacket("message", initialPacket);
    this.emit("open");
    this.#host.awaitPing(this);
  }

  attachReceiver(receiver: SessionReceiver): void {
    this.#receiver = receiver;
  }

  /**
   * Sends a message.
   *
   * @param callback - runs once the message has been written; never when it was not sent
   */
  send(data: MessageData, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    if (typeof options === "function") this.sendPacket("message", data, undefined, options);
    else this.sendPacket("message", data, options, callback);
    return this;
  }

  write(data: MessageData, options?: SendOptions | SendCallback, callback?: SendCallback): this {
    return this.send(data, options, callback);
  }

  sendPacket(type: EnginePacketType, data?: MessageData, options?: SendOptions, callback?: SendCallback): void {
    if (this.#readyState === "closing" || this.#readyState === "closed") return;
    const packet = queuedPacket(type, data, options);
    if (callback !== undefined) {
      packet.callback = callback;
      this.#callbacksQueued = true;
    }
    if (this.listenerCount("packetCreate") > 0) this.emit("packetCreate", packet);
    this.writeBuffer.push(packet);
    this.flush();
    if (this.writeBuffer.length > 0) this.#onWaiting(packet);
  }

  /** Something has to wait: what waits is bounded, whatever the client does. */
  #onWaiting(packet: QueuedPacket): void {
    this.#queuedBytes += sizeOf(packet);
    const { maxBufferedBytes, maxBufferedPackets, slowConsumer } = this.#host.opts;
    const load = Math.max(this.bufferedAmount / maxBufferedBytes, this.writeBuffer.length / maxBufferedPackets);
    if (load <= 1) return;
    if (slowConsumer === "disconnect" || load > 2) {
      this.onError("slow consumer", `${this.bufferedAmount} bytes in ${this.writeBuffer.length} packets waiting`);
    } else if (slowConsumer === "pause" && !this.#paused) {
      this.#paused = true;
      debug("%s: is not read from until it has caught up", this.id);
      this.transport.pause();
    }
  }

  #resumeIfDrained(): void {
    const { maxBufferedBytes, maxBufferedPackets } = this.#host.opts;
    if (this.bufferedAmount > maxBufferedBytes / 2 || this.writeBuffer.length > maxBufferedPackets / 2) return;
    this.#paused = false;
    this.transport.resume();
  }

  /** Hands what is waiting to the transport, if it takes it. */
  flush(): void {
    if (this.#readyState === "closed" || this.writeBuffer.length === 0 || !this.transport.accepting) return;
    if (!this.#announceFlush()) return;
    const batch = this.writeBuffer;
    this.writeBuffer = [];
    this.#queuedBytes = 0;
    this.transport.send(batch, this.#callbacksOf(batch));
    if (this.listenerCount("drain") > 0) this.emit("drain");
    this.#host.onSessionDrain(this);
    if (this.#readyState === "closing" && this.writeBuffer.length === 0) this.transport.close("orderly");
  }

  /**
   * Tells listeners what is about to be sent. What they send themselves joins the batch.
   *
   * @returns whether it can still be sent afterwards, and is not just being announced
   */
  #announceFlush(): boolean {
    if (this.#isAnnouncing) return false;
    this.#isAnnouncing = true;
    if (this.listenerCount("flush") > 0) this.emit("flush", this.writeBuffer);
    this.#host.onSessionFlush(this, this.writeBuffer);
    this.#isAnnouncing = false;
    return this.writeBuffer.length > 0 && this.transport.accepting;
  }

  #callbacksOf(batch: readonly QueuedPacket[]): (() => void) | undefined {
    if (!this.#callbacksQueued) return undefined;
    this.#callbacksQueued = false;
    const { transport } = this;
    // Also after the end of the session: what an orderly close has sent along is written by then, or later.
    return () => {
      for (const { callback } of batch) {
        try {
          callback?.(transport);
        } catch (error) {
          this.#host.report("send callback", error);
        }
      }
    };
  }

  /**
   * Ends the session: what is queued is sent first, unless `discard` is set.
   */
  close(discard = false): void {
    if (discard && (this.#readyState === "open" || this.#readyState === "closing")) {
      this.writeBuffer = [];
      this.#queuedBytes = 0;
      this.#end("forced close");
      return;
    }
    if (!this.#move("closeRequested")) return;
    debug("%s: is to be closed, %d packets wait", this.id, this.writeBuffer.length);
    this.#closeTimer = setTimeout(() => this.#end("forced close"), CLOSE_TIMEOUT_MS);
    // What is queued goes first: `flush` closes the transport behind it.
    if (this.writeBuffer.length === 0) this.transport.close("orderly");
  }

  // What the transport tells.

  onPacket(packet: EnginePacket): void {
    if (this.#readyState !== "open") {
      // A pong still counts while closing: otherwise an orderly close would end as a ping timeout.
      if (this.#readyState === "closing" && packet.type === "pong") this.#onPong();
      return;
    }
    if (this.listenerCount("packet") > 0) this.emit("packet", packet);
    if (packet.type === "message") {
      if (this.#heartbeat === "awaitingPong") this.#onTraffic();
      const data = packet.data ?? "";
      if (this.#receiver !== undefined) this.#receiver.ondata(data);
      if (this.listenerCount("data") > 0) this.emit("data", data);
      if (this.listenerCount("message") > 0) this.emit("message", data);
      return;
    }
    if (packet.type === "pong") return this.#onPong();
    if (packet.type === "error") return this.#end("parse error");
    if (packet.type === "ping") return this.onError("invalid heartbeat direction");
    this.#onTraffic();
  }

  onReady(): void {
    // A client that opens poll after poll and reads none empties the queue, but not what is on its way.
    if (this.transport.bufferedAmount > this.#host.opts.maxBufferedBytes) return this.onError("slow consumer");
    this.flush();
    if (this.#paused) this.#resumeIfDrained();
    if (this.listenerCount("idle") > 0 && this.writeBuffer.length === 0 && this.transport.writable) this.emit("idle");
    // The client holds its next message back until this poll is answered: it waits to switch over.
    if (this.#upgrade?.state === "probing" && this.transport.writable) this.#sendNoop();
  }

  onError(message: string, description?: unknown): void {
    debugTransport("%s: %s fails, %s", this.id, this.transport.name, message);
    this.#end("transport error", new TransportError(message, description));
  }

  onClose(): void {
    debugTransport("%s: %s is closed", this.id, this.transport.name);
    this.#end(this.#readyState === "closing" ? "forced close" : "transport close");
  }

  onHeaders(headers: HeaderFields, request: unknown): void {
    this.#host.onSessionHeaders(this, headers, request);
  }

  /** True once, for the answer that carries the handshake. */
  takeFirstHeaders(): boolean {
    const first = !this.#headersSent;
    this.#headersSent = true;
    return first;
  }

  // Heartbeat.

  /** To be called when a ping is due. */
  sendPing(): void {
    if (this.#readyState === "closed") return;
    this.sendPacket("ping");
    this.#beat("pingSent");
    this.#host.awaitPong(this);
  }

  /** To be called when the pong did not come. */
  onPongOverdue(): void {
    this.#end("ping timeout");
  }

  #onPong(): void {
    // One that nobody asked for proves nothing, and must not put off the next ping.
    if (!this.#beat("pong")) return;
    this.#host.awaitPing(this);
    if (this.listenerCount("heartbeat") > 0) this.emit("heartbeat");
  }

  #onTraffic(): void {
    if (this.#beat("traffic")) this.#host.awaitPong(this);
  }

  // Upgrade (spec/server.md 1.10).

  /** Tries another transport. The caller has checked that none is tried and none was taken. */
  tryTransport(candidate: Transport): void {
    this.#upgrade ??= new TransportUpgrade(this);
    this.#upgrade.begin(candidate, this.#host.opts.upgradeTimeout);
  }

  onProbe(candidate: Transport): void {
    this.emit("upgrading", candidate);
    if (this.transport.writable) this.#sendNoop();
  }

  onUpgrade(candidate: Transport): void {
    const old = this.transport;
    debug("%s: moves from %s to %s", this.id, old.name, candidate.name);
    this.transport = candidate;
    old.events = DEAF_EVENTS;
    old.close("now");
    candidate.events = this;
    if (this.#paused) candidate.pause();
    this.emit("upgrade", candidate);
    this.onReady();
    // A close that was asked for meanwhile waited for what was queued, which has gone by now.
    if (this.#readyState === "closing" && this.writeBuffer.length === 0) candidate.close("orderly");
  }

  #sendNoop(): void {
    this.transport.send([{ type: "noop", options: NO_OPTIONS }]);
  }

  // The one way out.

  #end(reason: EngineCloseReason, description?: Error): void {
    if (!this.#move("ended")) return;
    clearTimeout(this.#closeTimer);
    this.#closeTimer = undefined;
    debug("%s: is closed, %s", this.id, reason);
    this.#host.onSessionEnd(this);
    this.#upgrade?.giveUp("the session is over");
    this.transport.events = DEAF_EVENTS;
    this.transport.close("now");
    if (this.#receiver !== undefined) this.#receiver.onclose(reason, description);
    this.emit("close", reason, description);
    // Listeners of `close` may still look at what was not sent.
    process.nextTick(() => {
      this.writeBuffer = [];
      this.#queuedBytes = 0;
    });
  }

  // The tables.

  #move(event: ReadyEvent): boolean {
    const next = READY_TABLE[this.#readyState][event];
    if (next !== undefined) this.#readyState = next;
    return next !== undefined;
  }

  #beat(event: HeartbeatEvent): boolean {
    const next = HEARTBEAT_TABLE[this.#heartbeat][event];
    if (next !== undefined) this.#heartbeat = next;
    return next !== undefined;
  }
}
