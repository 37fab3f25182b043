import { isBytes } from "./bytes.js";
import { hostGlobals } from "./host-globals.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * How deeply data to encode may be nested. Deeper data, and circular data with it, is refused in one clear way: without
 * this line it would depend on the stack that is left, here and in `JSON.stringify`, which gives up near 4,000.
 */
export const MAX_DATA_DEPTH = 2000;

/** The binary values of one packet. */
export interface Attachments {
  /** The place of each; undefined while there are none, which is the common case. */
  places: Map<object, number> | undefined;
}

/**
 * Finds the binary values in `value`, depth first, adds them to `attachments` and returns what to serialise instead: a
 * copy along the paths that lead to them. Without binary values `value` itself comes back and nothing was allocated, so
 * that this one walk also answers whether there are any.
 *
 * `toJSON` is honoured as `JSON.stringify` does: called once per value, its result taken as it is.
 * @param key - where `value` stood, handed to `toJSON`
 * @throws ProtocolError `SIO_DATA_TOO_DEEP`
 */
export function extractBinary(value: object, key: string | number, attachments: Attachments, depth: number): object {
  if (depth > MAX_DATA_DEPTH)
    throw new ProtocolError("SIO_DATA_TOO_DEEP", "packet data is circular or nested too deeply");
  if (Array.isArray(value)) return extractFromArray(value, attachments, depth);
  if (isBinary(value)) return attach(value, attachments);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return extractFromObject(value, attachments, depth);
  // Serialising every date twice would be a waste: a date holds no bytes.
  if (toJSON === Date.prototype.toJSON) return value;
  const json: unknown = toJSON.call(value, String(key));
  if (!isObject(json)) return value;
  if (isBinary(json)) return attach(json, attachments);
  const extract = Array.isArray(json) ? extractFromArray : extractFromObject;
  const extracted: { toJSON?: unknown } = extract(json as object & unknown[], attachments, depth);
  if (extracted === json) return value;
  // What `toJSON` returned is not asked again.
  extracted.toJSON = undefined;
  return extracted;
}

function extractFromArray(values: readonly unknown[], attachments: Attachments, depth: number): object {
  let copy: unknown[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!isObject(value)) continue;
    const extracted = extractBinary(value, i, attachments, depth + 1);
    if (extracted !== value) (copy ??= values.slice())[i] = extracted;
  }
  return copy ?? values;
}

function extractFromObject(object: object, attachments: Attachments, depth: number): object {
  let copy: Record<string, unknown> | undefined;
  for (const key in object) {
    const value = (object as Record<string, unknown>)[key];
    if (!isObject(value) || !Object.hasOwn(object, key)) continue;
    const extracted = extractBinary(value, key, attachments, depth + 1);
    // A key `__proto__` is one like any other, in a copy by spreading.
    if (extracted !== value) (copy ??= { ...object } as Record<string, unknown>)[key] = extracted;
  }
  return copy ?? object;
}

/** The same bytes found twice travel once: else a small packet could be made to say a lot (spec/server.md 2.4). */
function attach(value: object, attachments: Attachments): { _placeholder: true; num: number } {
  const places = (attachments.places ??= new Map<object, number>());
  const num = places.get(value) ?? places.size;
  places.set(value, num);
  return { _placeholder: true, num };
}

/** Whether a value travels as an attachment: a buffer, any view on one, or a Blob (a File is one). */
export function isBinary(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The common case first; nothing binary is a plain object.
  if (prototype === Object.prototype || prototype === null) return false;
  return isBytes(value) || (hostGlobals.Blob !== undefined && value instanceof hostGlobals.Blob);
}

/** Whether a value is an object at all. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
