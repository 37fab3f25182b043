import { type DecodedListener, DecodedListeners } from "./decoded-listeners.js";
import type { Packet } from "./packet.js";
import { type DecoderOptions, PacketDecoder, type Reviver } from "./packet-decoder.js";

/** A {@link PacketDecoder} that can be listened to, as the option `parser` of servers and clients has it. */
export interface Decoder extends PacketDecoder {
  /** As `decode`, but the packet goes to the listeners of `decoded`. */
  add(chunk: unknown): void;
  on(event: "decoded", listener: DecodedListener): this;
  once(event: "decoded", listener: DecodedListener): this;
  /** Without a listener, removes all of them. */
  off(event?: "decoded", listener?: DecodedListener): this;
  removeListener(event?: "decoded", listener?: DecodedListener): this;
}

/** Constructor of {@link Decoder}. */
export interface DecoderConstructor {
  /** @param options - limits, or just a reviver for `JSON.parse` */
  new (options?: DecoderOptions | Reviver): Decoder;
}

class EmittingDecoder extends PacketDecoder implements Decoder {
  readonly #listeners: DecodedListeners = new DecodedListeners();

  constructor(options: DecoderOptions | Reviver = {}) {
    if (typeof options === "function") super(undefined, undefined, options);
    else super(options.maxAttachments, options.maxPartialBytes, options.reviver);
  }

  add(chunk: unknown): void {
    const packet: Packet | undefined = this.decode(chunk);
    if (packet !== undefined) this.#listeners.emit(packet);
  }

  on(event: "decoded", listener: DecodedListener): this {
    // Untyped callers may name any event: a decoder just never emits the others.
    if (event === "decoded") this.#listeners.add(listener, false);
    return this;
  }

  once(event: "decoded", listener: DecodedListener): this {
    if (event === "decoded") this.#listeners.add(listener, true);
    return this;
  }

  off(event: "decoded" = "decoded", listener?: DecodedListener): this {
    if (event === "decoded") this.#listeners.remove(listener);
    return this;
  }

  removeListener(event?: "decoded", listener?: DecodedListener): this {
    return this.off(event, listener);
  }
}

export const Decoder: DecoderConstructor = EmittingDecoder;
