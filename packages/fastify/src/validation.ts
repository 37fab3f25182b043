import { parse, type StandardSchema } from "@plugboard/server";
import type { FastifyInstance } from "fastify";
import { compileInScope, type CompiledValidator } from "./scope-compiler.js";

/** Gives what is made of a value, or a promise of it. Throws an `EventError` with `data.issues` when it is not valid. */
export type Validator = (value: unknown) => unknown;

export type InvalidCode = "SIO_INVALID_PAYLOAD" | "SIO_INVALID_ACK";
type Outcome = Awaited<ReturnType<StandardSchema<unknown>["~standard"]["validate"]>>;

/**
 * Makes a validator of what a schema of an event is: a Standard Schema validates itself, anything else goes to the validator
 * compiler of a scope, as the schema of a route does.
 *
 * @param code - of the error
 * @throws what the compiler throws
 */
export function validatorOf(schema: unknown, instance: FastifyInstance, code: InvalidCode): Validator {
  const standard = isStandardSchema(schema) ? schema : standardSchemaOf(compileInScope(schema, instance));
  return (value) => parse(standard, value, code);
}

function standardSchemaOf(validate: CompiledValidator): StandardSchema {
  return {
    "~standard": {
      version: 1,
      vendor: "fastify",
      validate(value) {
        const result = validate(value);
        if (isPromise(result)) return Promise.resolve(result).then((settled) => outcomeOf(settled, value, validate));
        return outcomeOf(result, value, validate);
      },
    },
  };
}

function outcomeOf(result: unknown, value: unknown, { errors }: CompiledValidator): Outcome {
  if (result === false) return { issues: issuesOf(errors) };
  if (typeof result !== "object" || result === null) return { value };
  const { error, value: replaced = value } = result as { error?: unknown; value?: unknown };
  return error === undefined || error === null ? { value: replaced } : { issues: issuesOf(error) };
}

/** Of Ajv, of zod, or whatever else a compiler gives. */
function issuesOf(errors: unknown): { message: string; path: PropertyKey[] }[] {
  const { validation, issues } = (errors ?? {}) as { validation?: unknown; issues?: unknown };
  const list = [errors, issues, validation].find((candidate) => Array.isArray(candidate)) as unknown[] | undefined;
  if (list === undefined) return [{ message: errors instanceof Error ? errors.message : "is not valid", path: [] }];
  return list.map((error) => {
    const { message = "is not valid", path, instancePath } = error as ValidatorIssue;
    return { message, path: path ?? pathOf(instancePath ?? "") };
  });
}

interface ValidatorIssue {
  readonly message?: string;
  readonly path?: PropertyKey[];
  /** JSON pointer. */
  readonly instancePath?: string;
}

function pathOf(pointer: string): PropertyKey[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Those of some libraries are functions. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  return (schema as Partial<StandardSchema> | null | undefined)?.["~standard"] !== undefined;
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
