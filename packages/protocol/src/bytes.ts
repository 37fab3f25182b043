/**
 * Whether a value is a buffer or a view on one. By tag rather than by `instanceof`, which fails for buffers of another
 * realm (Jest, vm contexts, frames); a symbol key cannot be forged by JSON.
 */
export function isBytes(value: object): value is ArrayBuffer | ArrayBufferView {
  return (
    ArrayBuffer.isView(value) || (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "ArrayBuffer"
  );
}

/** The bytes of a buffer or of any view on one (its offset and length respected), without copying. A Uint8Array is returned as it is. */
export function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const view = data as ArrayBufferView;
  // What has no buffer is one.
  return new Uint8Array(view.buffer ?? data, view.byteOffset, view.byteLength);
}
