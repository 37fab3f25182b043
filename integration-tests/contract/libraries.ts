import { fromJsonSchema, type StandardSchema } from "@plugboard/contract";
import { type } from "arktype";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import * as v from "valibot";
import { z } from "zod";

interface Todo {
  title: string;
  tags: string[];
}

/** The same two schemas, as a library writes them. */
export interface Library {
  readonly name: string;
  /** A title that is not empty, and tags. */
  readonly todo: StandardSchema<Todo>;
  /** A whole number under `id`. */
  readonly created: StandardSchema<{ id: number }>;
}

const typeboxTodo = Type.Object({ title: Type.String({ minLength: 1 }), tags: Type.Array(Type.String()) });
const typeboxCreated = Type.Object({ id: Type.Integer() });

export const libraries: readonly Library[] = [
  {
    name: "zod",
    todo: z.object({ title: z.string().min(1), tags: z.array(z.string()) }),
    created: z.object({ id: z.int() }),
  },
  {
    name: "valibot",
    todo: v.object({ title: v.pipe(v.string(), v.minLength(1)), tags: v.array(v.string()) }),
    created: v.object({ id: v.pipe(v.number(), v.integer()) }),
  },
  {
    name: "arktype",
    todo: type({ title: "string > 0", tags: "string[]" }),
    created: type({ id: "number.integer" }),
  },
  {
    name: "typebox",
    todo: fromJsonSchema(typeboxTodo, Compile(typeboxTodo)),
    created: fromJsonSchema(typeboxCreated, Compile(typeboxCreated)),
  },
];
