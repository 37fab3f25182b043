/** Version of the Engine.IO protocol this package speaks: the `EIO` query parameter. */
export const ENGINE_PROTOCOL = 4;

/** The seven packet types of Engine.IO 4; each one's digit on the wire is its index (spec/server.md 1.7). */
export const ENGINE_PACKET_TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

/** Name of an Engine.IO packet type. */
export type EnginePacketType = (typeof ENGINE_PACKET_TYPES)[number];

/**
 * A decoded Engine.IO packet. Input that cannot be decoded gives `{ type: "error", data: "parser error" }`, which never
 * travels. Binary data only ever comes with type `message`.
 */
export interface EnginePacket {
  type: EnginePacketType | "error";
  /** Absent when the packet carries nothing but its type. */
  data?: string | Uint8Array;
}

/** What can be encoded: every {@link EnginePacket} of a wire type, and all the kinds of bytes JavaScript knows. */
export interface OutgoingEnginePacket {
  readonly type: EnginePacketType;
  /** Bytes are always sent as a message, whatever `type` says; views keep their offset and length. */
  readonly data?: string | ArrayBuffer | ArrayBufferView;
}
