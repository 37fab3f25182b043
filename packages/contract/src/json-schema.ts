import type { StandardSchema } from "./standard-schema.js";

export type JsonSchema = Record<string, unknown>;

/** Gives the JSON Schema (draft 7) of a schema, or `undefined` when it does not know it. */
export type ToJsonSchema = (schema: StandardSchema, direction: "input" | "output") => JsonSchema | undefined;

/**
 * The JSON Schema of a schema, for a place inside another document.
 *
 * @param base - the place, as a reference; references that begin at the root of the schema will begin there
 * @throws what the schema throws, and an Error when it has no JSON Schema
 */
export function convertSchema(
  schema: StandardSchema,
  direction: "input" | "output",
  base: string,
  toJsonSchema?: ToJsonSchema,
): JsonSchema {
  const { jsonSchema, vendor } = schema["~standard"];
  const converted = toJsonSchema?.(schema, direction) ?? jsonSchema?.[direction]({ target: "draft-07" });
  if (converted === undefined) throw new Error(`schemas of ${vendor} do not give theirs, use the option toJsonSchema`);
  const { $schema: _, ...rest } = converted;
  return rebase(rest, { base, places: placesById(rest, base) }) as JsonSchema;
}

interface Move {
  readonly base: string;
  /** Where the definitions that have an `$id` will be. TypeBox refers to them by that. */
  readonly places: ReadonlyMap<unknown, string>;
}

function placesById(schema: JsonSchema, base: string): ReadonlyMap<unknown, string> {
  const places = new Map<unknown, string>();
  for (const map of ["$defs", "definitions"]) {
    for (const [name, definition] of Object.entries(schema[map] ?? {})) {
      const { $id } = Object(definition) as JsonSchema;
      if (typeof $id === "string") places.set($id, `${base}/${map}/${pointerToken(name)}`);
    }
  }
  return places;
}

function pointerToken(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

/** Members whose values are data, and those whose values are schemas by names. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "examples"]);
const MAPS: ReadonlySet<string> = new Set(["$defs", "definitions", "dependencies", "patternProperties", "properties"]);

/** A copy whose references fit its new place. Without `$id`, which would make references begin there. */
function rebase(value: unknown, move: Move, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => rebase(item, move));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
    if (isMap) return [[key, rebase(member, move)]];
    if (key === "$id") return [];
    if (key === "$ref" && typeof member === "string") return [[key, rebaseReference(member, move)]];
    return [[key, DATA.has(key) ? member : rebase(member, move, MAPS.has(key))]];
  });
  return Object.fromEntries(members);
}

function rebaseReference(reference: string, { base, places }: Move): string {
  return reference.startsWith("#") ? base + reference.slice(1) : (places.get(reference) ?? reference);
}
