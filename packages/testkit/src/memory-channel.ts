import type { WebSocketChannel, WebSocketChannelEvents } from "@plugboard/engine/internal";

type OnSent = (error?: Error | null) => void;

/** A WebSocket without a network, for tests of what stands on the channel port: writes complete when the test says so. */
export class MemoryChannel implements WebSocketChannel {
  bufferedAmount = 0;
  isOpen = true;
  /** Whether writes of frames complete at once. */
  isFast = false;
  isPaused = false;
  readonly takesFrames: boolean;
  events: WebSocketChannelEvents = { onMessage() {}, onClose() {}, onError() {}, onControl() {} };
  /** Messages given to `send`. */
  readonly messages: Array<string | Uint8Array> = [];
  /** One entry for each write of frames: the bytes, one char each. */
  readonly writes: string[] = [];
  readonly #unsent: OnSent[] = [];

  constructor(takesFrames: boolean) {
    this.takesFrames = takesFrames;
  }

  send(data: string | Uint8Array, onSent?: OnSent): void {
    this.messages.push(data);
    if (onSent !== undefined) this.#unsent.push(onSent);
  }

  writeFrames(chunks: ReadonlyArray<string | Uint8Array>, onSent: OnSent): boolean {
    if (!this.isOpen) return false;
    this.writes.push(
      chunks.map((chunk) => (typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1"))).join(""),
    );
    if (this.isFast) return true;
    this.#unsent.push(onSent);
    return false;
  }

  /** Completes the writes so far. */
  complete(error?: Error): void {
    for (const onSent of this.#unsent.splice(0)) onSent(error);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {
    if (!this.isOpen) return;
    this.events.onControl();
    this.isOpen = false;
  }
}
