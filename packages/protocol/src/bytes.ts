/**
 * Whether a value is a buffer or a view on one. By tag rather than by `instanceof`, which fails for buffers of another
 * realm (Jest, vm contexts, frames); a symbol key cannot be forged by JSON.
 */
export function isBytes(value: object): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || tagOf(value) === "ArrayBuffer";
}

/** The bytes of a buffer or of any view on one (its offset and length respected), without copying. A Uint8Array is returned as it is. */
export function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data);
  if (tagOf(data) === "Uint8Array") return data as Uint8Array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function tagOf(value: object): unknown {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
}
