import type { Packet } from "./packet.js";

/** Receives each completed packet. */
export type DecodedListener = (packet: Packet) => void;

/** The listeners of the one event a decoder has. Changes replace the array, so that emitting needs no copy of it. */
export class DecodedListeners {
  #entries: ReadonlyArray<{ readonly listener: DecodedListener; readonly once: boolean }> = [];

  add(listener: DecodedListener, once: boolean): void {
    this.#entries = [...this.#entries, { listener, once }];
  }

  /** Removes the first registration of the listener; without one, all of them. */
  remove(listener?: DecodedListener): void {
    const index = this.#entries.findIndex((entry) => entry.listener === listener);
    this.#entries = listener === undefined ? [] : this.#entries.filter((_, i) => i !== index);
  }

  emit(packet: Packet): void {
    for (const { listener, once } of this.#entries) {
      if (once) this.remove(listener);
      listener(packet);
    }
  }
}
