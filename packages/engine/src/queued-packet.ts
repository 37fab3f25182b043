import type { EnginePacketType } from "@plugboard/protocol";
import type { QueuedPacket, SendOptions } from "./transports/transport.js";

/** What a user may send: text or bytes. */
export type MessageData = string | Uint8Array | ArrayBuffer | ArrayBufferView;

/** The options of packets that come without any; frozen, since all of them share it. */
export const NO_OPTIONS: SendOptions = Object.freeze({ compress: true });

/** Makes a packet of what a user has given. */
export function queuedPacket(
  type: EnginePacketType,
  data: MessageData | undefined,
  options: SendOptions | undefined,
): QueuedPacket {
  const packet: QueuedPacket = { type, options: normalise(options) };
  if (data !== undefined) packet.data = typeof data === "string" ? data : asBytes(data);
  return packet;
}

/** Bytes of a packet; texts count by their chars. */
export function sizeOf({ data }: QueuedPacket): number {
  if (data === undefined) return 1;
  return typeof data === "string" ? data.length : data.byteLength;
}

function normalise(options: SendOptions | undefined): SendOptions {
  if (options === undefined) return NO_OPTIONS;
  if (typeof options.compress === "boolean") return options;
  return { ...options, compress: true };
}

function asBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array | string {
  if (data instanceof Uint8Array) return data;
  // Of untyped callers: a number is text, as in the reference, and not the length of an array.
  if (typeof data !== "object") return String(data || "");
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}
