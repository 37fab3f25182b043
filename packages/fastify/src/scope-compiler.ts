import type { FastifyInstance } from "fastify";

/** A validator as compilers make it, in all its shapes: a boolean with `errors` beside it, or an object, or a promise of one. */
export type CompiledValidator = ((value: unknown) => unknown) & { readonly errors?: unknown };

/** What Fastify keeps for the schemas of one scope. */
interface SchemaController {
  setupValidator(options: unknown): void;
}

/**
 * Compiles a schema as that of a body is, with what the scope has: its validator compiler, schemas of `addSchema`, options of
 * Ajv.
 *
 * @throws what the compiler throws
 */
export function compileInScope(schema: unknown, instance: FastifyInstance): CompiledValidator {
  // Fastify makes the compiler of a scope when the first route there needs one, which need not exist.
  const controller = internal<SchemaController>(instance, "fastify.schemaController");
  controller?.setupValidator(internal(instance, "fastify.options"));
  const compiler = instance.validatorCompiler as ((given: object) => unknown) | undefined;
  if (compiler === undefined) throw new Error("there is no validator compiler, see setValidatorCompiler");
  const compiled = compiler({ schema, method: "POST", url: "", httpPart: "body" });
  if (typeof compiled !== "function") throw new Error("the validator compiler has given no function");
  return compiled as CompiledValidator;
}

/** What Fastify keeps under a symbol: no method of an instance does what a request does with `compileValidationSchema`. */
function internal<Value>(instance: FastifyInstance, description: string): Value | undefined {
  for (let owner: object | null = instance; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const symbol = Object.getOwnPropertySymbols(owner).find((candidate) => candidate.description === description);
    if (symbol !== undefined) return (owner as Record<symbol, Value>)[symbol];
  }
  return undefined;
}
