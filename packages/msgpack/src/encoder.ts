import { Encoder as MessagePackEncoder } from "@msgpack/msgpack";
import { type Packet, PacketType } from "@plugboard/protocol";
import { extensions } from "./extensions.js";
import { MAX_MESSAGE_DEPTH } from "./limits.js";
import { sendable } from "./sendable.js";

/** Turns packets into MessagePack, one chunk each. Stateless. */
export interface Encoder {
  /**
   * Returns the bytes of the packet. The packet and its data are never changed, and the bytes are nobody else's.
   * @throws ProtocolError `SIO_DATA_TOO_DEEP` for data that is circular or nested deeper than 2,000 levels
   * @throws Error for a BigInt and for Blobs; and whatever a `toJSON` throws
   */
  encode(packet: Packet): [Uint8Array];
}

/** Constructor of {@link Encoder}. */
export interface EncoderConstructor {
  new (): Encoder;
}

/** Beyond it the working memory of the library is not kept for the next packet. */
const MAX_KEPT_BYTES = 65_536;

class MsgpackEncoder implements Encoder {
  #encoder: MessagePackEncoder = newEncoder();

  encode({ type, nsp, data, id }: Packet): [Uint8Array] {
    const bytes = this.#encoder.encode({
      type: type >= PacketType.BINARY_EVENT ? type - BINARY_OFFSET : type,
      nsp: nsp || "/",
      data: typeof data === "object" && data !== null ? sendable(data, "", 0) : data,
      id: id ?? undefined,
    });
    if (bytes.length > MAX_KEPT_BYTES) this.#encoder = newEncoder();
    return [bytes];
  }
}

/** From a type to its binary twin, which exists in the default parser only. */
const BINARY_OFFSET = PacketType.BINARY_EVENT - PacketType.EVENT;

function newEncoder(): MessagePackEncoder {
  return new MessagePackEncoder({
    extensionCodec: extensions,
    ignoreUndefined: true,
    // `sendable` has looked already; this one counts containers from 1 on, and what they hold.
    maxDepth: MAX_MESSAGE_DEPTH + 2,
  });
}

export const Encoder: EncoderConstructor = MsgpackEncoder;
