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
  return rebase(rest, base) as JsonSchema;
}

/** Members whose values are data, and those whose values are schemas by names. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "examples"]);
const MAPS: ReadonlySet<string> = new Set(["$defs", "definitions", "dependencies", "patternProperties", "properties"]);

function rebase(value: unknown, base: string, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => rebase(item, base));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([key, member]): [string, unknown] => {
    if (isMap) return [key, rebase(member, base)];
    if (key === "$ref" && typeof member === "string" && member.startsWith("#")) return [key, base + member.slice(1)];
    return [key, DATA.has(key) ? member : rebase(member, base, MAPS.has(key))];
  });
  return Object.fromEntries(members);
}
