import { ENGINE_PROTOCOL } from "@plugboard/protocol";
import type { EndOfTurn } from "../end-of-turn.js";
import { createDebug } from "../debug.js";
import { engineCodec } from "../engine-codec.js";
import { DEAF_EVENTS, type CloseMode, type QueuedPacket, type Transport, type TransportEvents } from "./transport.js";
import { CLOSE_GRACE_MS, type WebSocketChannel, type WebSocketChannelEvents } from "./websocket-channel.js";
import { binaryFrameHeader, FOLD_LIMIT_BYTES, foreignFrame, textFrame } from "./websocket-frame.js";

const debug = createDebug("engine:ws");

/** What is gathered leaves before the end of the turn once it is this long. */
const GATHER_LIMIT_BYTES = 64 * 1024;

/**
 * WebSocket (spec/server.md 1.9): one packet per frame. Packets sent in one turn of the event loop are gathered and
 * leave as one write, unless the channel cannot take frames: then each goes through the channel's own `send`.
 */
export class WebSocketTransport implements Transport, WebSocketChannelEvents {
  readonly name = "websocket";
  events: TransportEvents = DEAF_EVENTS;
  writable = true;
  readonly #channel: WebSocketChannel;
  readonly #endOfTurn: EndOfTurn;
  readonly supportsBinary: boolean;
  /** Gathered frames, one char per byte. */
  #gathered = "";
  /** Whether this transport waits for the end of the turn. */
  #scheduled = false;
  /** Writes whose callback has not come yet. */
  #writesInFlight = 0;
  #callbacks: Array<() => void> | undefined = undefined;
  #closed = false;
  readonly #onSent: (error?: Error | null) => void;

  constructor(channel: WebSocketChannel, endOfTurn: EndOfTurn, supportsBinary: boolean) {
    this.#channel = channel;
    this.#endOfTurn = endOfTurn;
    this.supportsBinary = supportsBinary;
    this.#onSent = (error) => this.#afterWrite(error);
    channel.events = this;
  }

  get accepting(): boolean {
    // Once a write of this turn has to wait, what follows waits in the queue of the session, which is bounded.
    return this.writable || (this.#scheduled && this.#writesInFlight === 0);
  }

  get bufferedAmount(): number {
    return this.#channel.bufferedAmount + this.#gathered.length;
  }

  get readyState(): Transport["readyState"] {
    return this.#closed ? "closed" : "open";
  }

  get protocol(): number {
    return ENGINE_PROTOCOL;
  }

  get sid(): string | undefined {
    return this.events.id;
  }

  get discarded(): boolean {
    return this.events === DEAF_EVENTS;
  }

  get socket(): unknown {
    return this.#channel.socket;
  }

  send(batch: readonly QueuedPacket[], onWritten?: () => void): void {
    if (this.#closed) return;
    this.writable = false;
    if (onWritten !== undefined) (this.#callbacks ??= []).push(onWritten);
    if (!this.#channel.takesFrames) return this.#sendThroughChannel(batch);
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#endOfTurn.schedule(this);
    }
    for (const packet of batch) this.#gather(packet);
    if (this.#gathered.length > GATHER_LIMIT_BYTES) this.flush();
  }

  #gather(packet: QueuedPacket): void {
    const { options } = packet;
    const { prepared } = options;
    if (prepared !== undefined && (this.supportsBinary || !prepared.isBinary)) {
      this.#gathered += prepared.binaryString;
    } else if (options.wsPreEncodedFrame !== undefined) {
      this.#gathered += foreignFrame(options.wsPreEncodedFrame);
    } else if (packet.type === "message" && typeof packet.data === "string") {
      this.#gathered += textFrame("4", packet.data);
    } else {
      const encoded = engineCodec.encodePacket(packet, this.supportsBinary);
      if (typeof encoded === "string") this.#gathered += textFrame("", encoded);
      else this.#gatherBytes(encoded);
    }
  }

  #gatherBytes(payload: Uint8Array): void {
    this.#gathered += binaryFrameHeader(payload.byteLength);
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (bytes.length <= FOLD_LIMIT_BYTES) {
      this.#gathered += bytes.toString("latin1");
      return;
    }
    // Written now, not at the end of the turn: the owner may change the bytes once `emit` has returned.
    const header = this.#gathered;
    this.#gathered = "";
    this.#writeFrames([header, bytes]);
  }

  #writeFrames(chunks: ReadonlyArray<string | Uint8Array>): void {
    this.#writesInFlight++;
    if (this.#channel.writeFrames(chunks, this.#onSent)) this.#writesInFlight--;
  }

  #sendThroughChannel(batch: readonly QueuedPacket[]): void {
    const last = batch.length - 1;
    this.#writesInFlight++;
    for (let index = 0; index <= last; index++) {
      const packet = batch[index] as QueuedPacket;
      const encoded = engineCodec.encodePacket(packet, this.supportsBinary);
      this.#channel.send(encoded, index === last ? this.#onSent : undefined);
    }
  }

  /** Writes what was gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#gathered !== "") {
      const frames = this.#gathered;
      this.#gathered = "";
      this.#writeFrames([frames]);
    }
    this.#settle();
  }

  #afterWrite(error: Error | null | undefined): void {
    this.#writesInFlight--;
    if (!error) return this.#settle();
    if (this.#closed) return;
    debug("cannot write: %s", error.message);
    this.#closed = true;
    this.#channel.close(CLOSE_GRACE_MS);
    this.events.onError("write error", error);
  }

  /** Becomes writable once everything that was handed over has been written. What leaves behind a close is told too. */
  #settle(): void {
    if (this.writable || this.#scheduled || this.#writesInFlight > 0 || this.#gathered !== "") return;
    this.writable = !this.#closed;
    if (this.#callbacks !== undefined) {
      const callbacks = this.#callbacks;
      this.#callbacks = undefined;
      for (const callback of callbacks) callback();
    }
    if (!this.#closed) this.events.onReady();
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  close(mode: CloseMode): void {
    if (this.#closed) return;
    debug("is closed by us");
    this.#closed = true;
    this.#channel.close(mode === "now" ? CLOSE_GRACE_MS : undefined);
    this.events.onClose();
  }

  // What the channel reports.

  onMessage(data: string | Uint8Array): void {
    if (this.#closed) return;
    const packet = engineCodec.decodePacket(data);
    if (packet.type === "close") this.close("now");
    else this.events.onPacket(packet);
  }

  onControl(): void {
    this.flush();
  }

  onClose(): void {
    if (this.#closed) return;
    debug("is closed by the client");
    this.#closed = true;
    this.events.onClose();
  }

  onError(error: unknown): void {
    if (this.#closed) return;
    debug("fails: %s", error);
    this.#closed = true;
    this.#channel.close(CLOSE_GRACE_MS);
    this.events.onError(String(error), error);
  }
}
