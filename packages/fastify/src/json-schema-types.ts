/** The type that a JSON Schema describes, as far as it is written plainly; `unknown` for the rest, such as `$ref`. */
export type FromJsonSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer Option)[] }
      ? FromJsonSchema<Option>
      : Schema extends { readonly type: infer Type }
        ? OfType<Schema, Type>
        : unknown;

type OfType<Schema, Type> = Type extends "string"
  ? string
  : Type extends "number" | "integer"
    ? number
    : Type extends "boolean"
      ? boolean
      : Type extends "null"
        ? null
        : Type extends "array"
          ? Schema extends { readonly items: infer Items }
            ? FromJsonSchema<Items>[]
            : unknown[]
          : Type extends "object"
            ? OfObject<Schema>
            : unknown;

type OfObject<Schema> = Schema extends { readonly properties: infer Properties }
  ? Flat<
      {
        -readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? Key : never]: FromJsonSchema<
          Properties[Key]
        >;
      } & {
        -readonly [Key in keyof Properties as Key extends RequiredOf<Schema> ? never : Key]?: FromJsonSchema<
          Properties[Key]
        >;
      }
    >
  : Record<string, unknown>;

type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;
type Flat<T> = { [Key in keyof T]: T[Key] };
