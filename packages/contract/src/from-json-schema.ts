import type { StandardIssue, StandardSchema } from "./standard-schema.js";

/** An error as Ajv and TypeBox tell it. */
export interface JsonSchemaError {
  /** A JSON pointer to the place, such as `/items/0/name`; empty: the value itself. */
  readonly instancePath: string;
  readonly message?: string | undefined;
}

/** What `ajv.compile(schema)` returns: says whether a value is valid, and keeps the errors of the last one. */
export interface JsonSchemaFunction<Value = unknown> {
  (value: unknown): value is Value;
  readonly errors?: readonly JsonSchemaError[] | null | undefined;
}

/** What `Compile(schema)` of `typebox/compile` returns. */
export interface JsonSchemaChecker<Value = unknown> {
  Check(value: unknown): value is Value;
  Errors(value: unknown): Iterable<JsonSchemaError>;
}

/** What a validator says a value is. */
export type GuardedBy<Validator> = Validator extends
  ((value: unknown) => value is infer Value) | { Check(value: unknown): value is infer Value }
  ? Value
  : unknown;

/**
 * Makes a Standard Schema of a JSON Schema and what validates it. The value goes through as it is: nothing is converted, no
 * default filled in, unless the validator itself changes the value.
 *
 * @param jsonSchema - goes into the document of `asyncApi`, whatever draft is asked for; schemas of TypeBox are JSON Schemas
 * @param validator - `Compile(jsonSchema)` of `typebox/compile`, or `ajv.compile(jsonSchema)` with a synchronous schema. The
 * type of the value is the one it guards.
 */
export function fromJsonSchema<Validator extends JsonSchemaFunction | JsonSchemaChecker>(
  jsonSchema: object,
  validator: Validator,
): StandardSchema<GuardedBy<Validator>> {
  const isValid = (value: unknown): value is GuardedBy<Validator> =>
    typeof validator === "function" ? validator(value) : validator.Check(value);
  const errorsOf = (value: unknown) => (typeof validator === "function" ? validator.errors : validator.Errors(value));
  // A copy, so that whoever changes a document does not change the schema; TypeBox keeps more in it than JSON.
  const toJson = () => JSON.parse(JSON.stringify(jsonSchema)) as Record<string, unknown>;
  return {
    "~standard": {
      version: 1,
      vendor: "plugboard",
      validate: (value) =>
        isValid(value) ? { value } : { issues: Array.from(errorsOf(value) ?? [], (error) => issueOf(error, value)) },
      jsonSchema: { input: toJson, output: toJson },
    },
  };
}

function issueOf({ instancePath, message = "is invalid" }: JsonSchemaError, value: unknown): StandardIssue {
  const path: (string | number)[] = [];
  let place: unknown = value;
  for (const token of instancePath.split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    const key = Array.isArray(place) ? Number(name) : name;
    path.push(key);
    place = (place as Record<PropertyKey, unknown> | null | undefined)?.[key];
  }
  return { message, path };
}
