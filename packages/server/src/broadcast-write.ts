import type { PreparedFrame } from "@plugboard/engine";
import { prepareFrame } from "@plugboard/engine/internal";
import type { BroadcastFlags } from "./adapter-contract.js";
import type { WriteOptions } from "./emit-flags.js";
import type { Chunk } from "./parts.js";

/**
 * How the chunks of one broadcast are written: one object for all targets. It carries the WebSocket frame, built once,
 * when the packet is a single text; with attachments, `parts` holds the options of each chunk.
 */
export class BroadcastWrite implements WriteOptions {
  readonly preEncoded = true;
  readonly volatile: boolean | undefined;
  readonly compress: boolean;
  readonly prepared: PreparedFrame | undefined;
  readonly parts: readonly WriteOptions[] | undefined;
  #buffers: readonly Uint8Array[] | undefined = undefined;

  constructor(chunks: readonly Chunk[], flags: BroadcastFlags = {}) {
    this.volatile = flags.volatile;
    this.compress = flags.compress !== false;
    const { volatile, compress } = this;
    const frames = chunks.map((chunk) => (isPreparable(chunk) ? prepareFrame(chunk) : undefined));
    this.prepared = frames.length === 1 ? frames[0] : undefined;
    this.parts = frames.length === 1 ? undefined : frames.map((prepared) => ({ volatile, compress, prepared }));
  }

  /** The frame in the form that third parties know (spec/server.md 3.10). Built when somebody looks at it. */
  get wsPreEncodedFrame(): readonly Uint8Array[] | undefined {
    if (this.prepared?.isBinary === false) this.#buffers ??= this.prepared.buffers;
    return this.#buffers;
  }
}

/** Attachments may be of any kind that counts as binary; the engine prepares texts and Uint8Arrays. */
function isPreparable(chunk: unknown): chunk is Chunk {
  return typeof chunk === "string" || chunk instanceof Uint8Array;
}
