import type { JsonSchema } from "@plugboard/contract";

/** A schema, as far as references are concerned. */
interface Document {
  readonly id: string | undefined;
  readonly schema: JsonSchema;
  /** Where it is in the bundle, as a reference: "#" for the root. */
  readonly place: string;
}

/** Members whose values are data, and those whose values are schemas by names. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "examples"]);
const MAPS: ReadonlySet<string> = new Set(["$defs", "definitions", "dependencies", "patternProperties", "properties"]);

/**
 * A copy of a JSON Schema that refers to nothing outside of itself: the shared schemas that it needs come along, among its
 * `definitions`. References to what is in neither stay as they are.
 *
 * @param shared - by `$id`, as `fastify.getSchemas()` gives them
 */
export function bundledSchema(schema: object, shared: Readonly<Record<string, unknown>>): JsonSchema {
  const root = documentOf(schema, "#");
  const included = new Map<string, Document>();
  const definitions: JsonSchema = {};
  const taken = root.schema["definitions"] as JsonSchema | undefined;

  const include = (id: string): Document | undefined => {
    const known = included.get(id);
    if (known !== undefined) return known;
    const found = Object.hasOwn(shared, id) ? shared[id] : undefined;
    if (typeof found !== "object" || found === null) return undefined;
    let key = id;
    while (taken !== undefined && Object.hasOwn(taken, key)) key += "_";
    const document = documentOf(found, `#/definitions/${pointerToken(key)}`);
    included.set(id, document);
    definitions[key] = {};
    definitions[key] = rewritten(document.schema, document);
    return document;
  };

  const rewrittenReference = (reference: string, from: Document): string => {
    const [address = "", fragment = ""] = reference.split("#", 2);
    const to =
      address === "" || address === from.id
        ? from
        : address === root.id
          ? root
          : (include(address) ?? include(resolved(address, from.id)));
    if (to === undefined) return reference;
    const pointer = fragment === "" || fragment.startsWith("/") ? fragment : pointerOf(to.schema, `#${fragment}`);
    return pointer === undefined ? reference : to.place + pointer;
  };

  const rewritten = (value: unknown, from: Document, isMap = false): unknown => {
    if (Array.isArray(value)) return value.map((item) => rewritten(item, from));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).flatMap(([key, member]): [string, unknown][] => {
      if (isMap) return [[key, rewritten(member, from)]];
      if (key === "$id") return [];
      if (key === "$ref" && typeof member === "string") return [[key, rewrittenReference(member, from)]];
      return [[key, DATA.has(key) ? member : rewritten(member, from, MAPS.has(key))]];
    });
    return Object.fromEntries(members);
  };

  const bundle = rewritten(root.schema, root) as JsonSchema;
  if (included.size === 0) return bundle;
  return { ...bundle, definitions: { ...(bundle["definitions"] as JsonSchema | undefined), ...definitions } };
}

/** Libraries keep more in their schemas than JSON. */
function documentOf(schema: object, place: string): Document {
  const plain = JSON.parse(JSON.stringify(schema)) as JsonSchema;
  const { $id } = plain;
  return { id: typeof $id === "string" ? $id.replace(/#$/, "") : undefined, schema: plain, place };
}

/** A relative address, as seen from the schema that has it. */
function resolved(address: string, base: string | undefined): string {
  return base !== undefined && URL.canParse(address, base) ? new URL(address, base).href : address;
}

/** The place in a schema that has a name, such as `#item`. */
function pointerOf(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ((value as JsonSchema)["$id"] === name) return "";
  for (const [key, member] of Object.entries(value)) {
    const pointer = pointerOf(member, name);
    if (pointer !== undefined) return `/${pointerToken(key)}${pointer}`;
  }
  return undefined;
}

function pointerToken(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}
