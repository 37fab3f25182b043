/**
 * The shapes of Standard Schema 1 and of its companion Standard JSON Schema: what zod, Valibot, ArkType and others put
 * under the key `~standard` of their schemas, so that whoever validates need not know whose schema it is.
 */

/** A schema of any library. `Input` is what it accepts, `Output` what it makes of it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": StandardSchemaProps<Input, Output>;
}

/** What is under `~standard`. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  /** Version of the standard. */
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  /** For the compiler alone: the two types of the schema. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  /** Standard JSON Schema, where the library offers it: zod from 4.2, ArkType from 2.1.28. */
  readonly jsonSchema?: StandardJsonSchema | undefined;
}

/** Either a value, or issues. */
export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

/** What is wrong, and where. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Gives JSON Schemas of what a schema accepts and of what it makes of it; throws where that cannot be said. */
export interface StandardJsonSchema {
  readonly input: (options: { readonly target: string }) => Record<string, unknown>;
  readonly output: (options: { readonly target: string }) => Record<string, unknown>;
}

/** What a schema accepts. */
export type InferInput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];

/** What a schema makes of it. */
export type InferOutput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/** Whether a value has the shape of a Standard Schema. Those of ArkType are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  const props = (value as Partial<StandardSchema>)["~standard"];
  return typeof props === "object" && props !== null && props.version === 1 && typeof props.validate === "function";
}
