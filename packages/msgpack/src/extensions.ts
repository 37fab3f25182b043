import { decodeTimestampExtension, ExtData, type ExtensionCodecType } from "@msgpack/msgpack";

/** Number of the extension in which `socket.io-msgpack-parser` says what MessagePack has no type for. */
const DIALECT = 0;
/** The head of 8 bytes in an extension; as long a buffer is announced by another one, with its length in it. */
const FIXED_8 = 0xd7;
const FIXED_1 = 0xd4;
const TIMESTAMP = -1;

/** An `undefined` on its way. */
export const UNDEFINED: ExtData = new ExtData(DIALECT, new Uint8Array(1));

/** A date on its way: milliseconds in 64 bits. */
export function dateExtension(date: Date): ExtData {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigInt64(0, BigInt(date.getTime()));
  return new ExtData(DIALECT, data);
}

/**
 * The extensions of `socket.io-msgpack-parser`, which is what there is to be compatible with: dates, `undefined`, and
 * buffers of other types than Node's. Those come in the same extension and differ from the others by nothing but the
 * head before the data. Times as the MessagePack specification has them are dates too; peers in other languages send
 * them. Of other extensions the user gets `[type, bytes]`.
 */
export const extensions: ExtensionCodecType<undefined> = {
  tryToEncode: (value) => (value instanceof ExtData ? value : null),
  decode(data, type) {
    if (type === TIMESTAMP) return decodeTimestampExtension(data);
    if (type !== DIALECT) return [type, data];
    const head = new Uint8Array(data.buffer)[data.byteOffset - 2];
    if (head === FIXED_1 && data.length === 1) return undefined;
    if (head === FIXED_8 && data.length === 8) {
      const view = new DataView(data.buffer, data.byteOffset, 8);
      return new Date(view.getInt32(0) * 2 ** 32 + view.getUint32(4));
    }
    return data;
  },
};
