import type { PreparedFrame } from "@plugboard/engine";
import { prepareFrame } from "@plugboard/engine/internal";
import type { BroadcastFlags } from "./adapter-contract.js";
import type { WriteOptions } from "./emit-flags.js";
import type { Chunk } from "./parts.js";

/**
 * How the chunks of one broadcast are written: one object for all targets. It carries the WebSocket frame, built once,
 * when the packet is a single text.
 */
export class BroadcastWrite implements WriteOptions {
  readonly preEncoded = true;
  readonly volatile: boolean | undefined;
  readonly compress: boolean;
  readonly prepared: PreparedFrame | undefined;
  #buffers: readonly Uint8Array[] | undefined = undefined;

  constructor(chunks: readonly Chunk[], flags: BroadcastFlags = {}) {
    const [first] = chunks;
    this.volatile = flags.volatile;
    this.compress = flags.compress !== false;
    this.prepared = chunks.length === 1 && typeof first === "string" ? prepareFrame(first) : undefined;
  }

  /** The frame in the form that third parties know (spec/server.md 3.10). Built when somebody looks at it. */
  get wsPreEncodedFrame(): readonly Uint8Array[] | undefined {
    this.#buffers ??= this.prepared?.buffers;
    return this.#buffers;
  }
}
