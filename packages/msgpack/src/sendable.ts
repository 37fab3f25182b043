import { ProtocolError } from "@plugboard/protocol";
import { dateExtension, UNDEFINED } from "./extensions.js";
import { MAX_DEPTH } from "./limits.js";

/**
 * What to serialise instead of `value`, so that it arrives as it would with the default parser or better: dates and, in
 * arrays, `undefined` are kept. Copies along the paths that need it and never changes what it is given.
 *
 * `toJSON` is honoured as `JSON.stringify` does: called once per value, its result taken as it is. Functions and symbols
 * count as `undefined`.
 * @param key - where `value` stood, handed to `toJSON`
 * @throws ProtocolError `SIO_DATA_TOO_DEEP`
 * @throws TypeError for a Blob, whose bytes nobody can have without waiting
 */
export function sendable(value: object, key: string | number, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new ProtocolError("SIO_DATA_TOO_DEEP", "packet data is circular or nested too deeply");
  if (Array.isArray(value)) return sendableArray(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (ArrayBuffer.isView(value)) return value;
    const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
    if (tag === "ArrayBuffer") return new Uint8Array(value as ArrayBuffer);
    if (tag === "Blob" || tag === "File") throw new TypeError("send what arrayBuffer() of the Blob gives");
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : dateExtension(value);
  }
  const toJSON = (value as { toJSON?: unknown }).toJSON;
  if (typeof toJSON !== "function") return sendableObject(value, depth);
  const json: unknown = toJSON.call(value, String(key));
  if (typeof json !== "object" || json === null) return json;
  return Array.isArray(json) ? sendableArray(json, depth) : sendableObject(json, depth);
}

function sendableArray(values: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const sent = isNothing(value) ? UNDEFINED : sendableMember(value, i, depth);
    if (sent === value) continue;
    copy ??= values.slice();
    copy[i] = sent === undefined ? UNDEFINED : sent;
  }
  return copy ?? values;
}

function sendableObject(object: object, depth: number): object {
  let copy: Record<string, unknown> | undefined;
  for (const key in object) {
    if (!Object.hasOwn(object, key)) continue;
    const value = (object as Record<string, unknown>)[key];
    // The receiver, ours as the reference, cannot be given a member of that name.
    const sent = isNothing(value) || key === "__proto__" ? undefined : sendableMember(value, key, depth);
    if (sent === value) continue;
    // Without a prototype a key `__proto__` is a key like any other.
    copy ??= Object.assign(Object.create(null) as Record<string, unknown>, object);
    copy[key] = sent;
  }
  return copy ?? object;
}

function sendableMember(value: unknown, key: string | number, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  const sent = sendable(value, key, depth + 1);
  return isNothing(sent) ? undefined : sent;
}

function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}
