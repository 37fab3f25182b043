import type { PreparedFrame } from "@plugboard/engine";
import type { BroadcastFlags } from "./adapter-contract.js";

/** Modifiers gathered by `volatile`, `compress()`, `local`, `timeout()` for the next emit. */
export interface EmitFlags extends Readonly<BroadcastFlags> {
  /** Set by `RemoteSocket`: the ack resolves with the one response instead of a list. */
  readonly expectSingleResponse?: boolean;
}

/** What goes down with each chunk of a packet; the engine reads `compress` and the frames. */
export interface WriteOptions {
  /** The packet is a list of encoded chunks already. */
  readonly preEncoded?: boolean;
  readonly volatile?: boolean | undefined;
  readonly compress: boolean;
  readonly prepared?: PreparedFrame | undefined;
  /** Options of each chunk, where they differ. */
  readonly parts?: readonly WriteOptions[] | undefined;
  /** A complete WebSocket frame as `[header, payload]`: the form third-party adapters hand in. */
  readonly wsPreEncodedFrame?: readonly Uint8Array[] | undefined;
}

/** The flags of a plain emit: one shared object, so that the common emit allocates none. */
export const NO_FLAGS: EmitFlags = Object.freeze({});

/** Not frozen on purpose: an engine that is bound by the user may write its defaults into it. */
const PLAIN_WRITE: WriteOptions = { volatile: undefined, compress: true };

export function writeOptionsOf(flags: EmitFlags): WriteOptions {
  if (flags === NO_FLAGS) return PLAIN_WRITE;
  return { volatile: flags.volatile, compress: flags.compress !== false };
}
