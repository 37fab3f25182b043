import { Decoder as MessagePackDecoder } from "@msgpack/msgpack";
import { type DecodedListener, isPacketValid, type Packet, ProtocolError } from "@plugboard/protocol";
import { extensions } from "./extensions.js";
import { checkStructure } from "./message-structure.js";

/** Turns chunks into packets, of one chunk each. Keeps nothing in between; linear in its input. */
export interface Decoder {
  /**
   * Returns the packet in a chunk. Bytes in it are of the kind of the chunk and share its memory: of a Buffer, Buffers;
   * of a Uint8Array, Uint8Arrays. Of an ArrayBuffer they are ArrayBuffers of their own.
   * @throws ProtocolError one of the `SIO_*` codes, with the error underneath as `cause`
   */
  decode(chunk: unknown): Packet;
  /** As `decode`, but the packet goes to the listeners of `decoded`. */
  add(chunk: unknown): void;
  /** Does nothing: no packet is ever incomplete. */
  destroy(): void;
  on(event: "decoded", listener: DecodedListener): this;
  once(event: "decoded", listener: DecodedListener): this;
  /** Without a listener, removes all of them. */
  off(event?: "decoded", listener?: DecodedListener): this;
  removeListener(event?: "decoded", listener?: DecodedListener): this;
}

/** Constructor of {@link Decoder}. */
export interface DecoderConstructor {
  new (): Decoder;
}

class MsgpackDecoder implements Decoder {
  readonly #decoder: MessagePackDecoder = new MessagePackDecoder({ extensionCodec: extensions });
  /** Replaced when it changes, so that emitting needs no copy. */
  #listeners: ReadonlyArray<{ readonly listener: DecodedListener; readonly once: boolean }> = [];

  decode(chunk: unknown): Packet {
    const bytes = bytesOf(chunk);
    let value: unknown;
    try {
      const holdsBytes = checkStructure(bytes);
      value = this.#decoder.decode(bytes);
      if (holdsBytes && !ArrayBuffer.isView(chunk)) detachBytes(value);
    } catch (cause) {
      throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload", { cause });
    }
    return packetOf(value);
  }

  add(chunk: unknown): void {
    const packet = this.decode(chunk);
    for (const { listener, once } of this.#listeners) {
      if (once) this.off("decoded", listener);
      listener(packet);
    }
  }

  destroy(): void {}

  on(event: "decoded", listener: DecodedListener): this {
    return this.#listen(event, listener, false);
  }

  once(event: "decoded", listener: DecodedListener): this {
    return this.#listen(event, listener, true);
  }

  /** Untyped callers may name any event: a decoder just never emits the others. */
  #listen(event: string, listener: DecodedListener, once: boolean): this {
    if (event === "decoded") this.#listeners = [...this.#listeners, { listener, once }];
    return this;
  }

  off(event: "decoded" = "decoded", listener?: DecodedListener): this {
    if (event !== "decoded") return this;
    const index = this.#listeners.findIndex((entry) => entry.listener === listener);
    this.#listeners = listener === undefined ? [] : this.#listeners.filter((_, i) => i !== index);
    return this;
  }

  removeListener(event?: "decoded", listener?: DecodedListener): this {
    return this.off(event, listener);
  }
}

/** A Uint8Array is returned as it is, so that Buffers give Buffers. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const tag = Object.prototype.toString.call(chunk);
  if (tag !== "[object ArrayBuffer]")
    throw new ProtocolError("SIO_UNKNOWN_CHUNK_TYPE", "Unknown type: " + typeof chunk);
  return new Uint8Array(chunk as ArrayBuffer);
}

/** Takes from the message what belongs to a packet and nothing else: peers send along what they have noted on it. */
function packetOf(value: unknown): Packet {
  if (typeof value !== "object" || value === null) throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload");
  const { type, nsp, data, id } = value as Packet;
  if (![0, 1, 2, 3, 4].includes(type)) throw unknownType(type);
  const packet: Packet = { type, nsp };
  if (id !== undefined) packet.id = id;
  if (data !== undefined) packet.data = data;
  const isSound = isPacketValid(packet) && nsp.startsWith("/") && (id === undefined || isAckId(id));
  if (!isSound) throw new ProtocolError("SIO_INVALID_PAYLOAD", "invalid payload");
  return packet;
}

/** What is no number counts as NaN, as in the default parser. */
function unknownType(type: unknown): ProtocolError {
  return new ProtocolError("SIO_UNKNOWN_PACKET_TYPE", `unknown packet type ${typeof type === "number" ? type : NaN}`);
}

function isAckId(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 0;
}

/** Replaces each view on the message by a buffer of its own. Without recursion; a decoded value has no circles. */
function detachBytes(root: unknown): void {
  const containers = [root as Record<string, unknown>];
  for (const container of containers) {
    for (const key in container) {
      const value = container[key];
      if (value instanceof Uint8Array) container[key] = value.slice().buffer;
      else if (typeof value === "object" && value !== null && !(value instanceof Date)) {
        containers.push(value as Record<string, unknown>);
      }
    }
  }
}

export const Decoder: DecoderConstructor = MsgpackDecoder;
