import type { FastifyInstance } from "fastify";
import { pluginError } from "./plugin-error.js";

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
 * @throws PluginError with code `SIO_FASTIFY_UNKNOWN_FASTIFY` when Fastify has no compiler where the versions known so far have it
 * @throws what the compiler throws
 */
export function compileInScope(schema: unknown, instance: FastifyInstance): CompiledValidator {
  // Fastify makes the compiler of a scope when the first route there needs one, which need not exist.
  const controller = internal<Partial<SchemaController>>(instance, "fastify.schemaController");
  const options = internal<object>(instance, "fastify.options");
  if (typeof controller?.setupValidator !== "function" || options === undefined) throw unknownFastify(instance);
  controller.setupValidator(options);
  const compiler = instance.validatorCompiler as ((given: object) => unknown) | undefined;
  if (compiler === undefined) throw unknownFastify(instance);
  const compiled = compiler({ schema, method: "POST", url: "", httpPart: "body" });
  if (typeof compiled !== "function") throw new Error("the validator compiler has given no function");
  return compiled as CompiledValidator;
}

/** Loud, for the compiler of another scope may be there, which knows other schemas. */
function unknownFastify({ version }: FastifyInstance): Error {
  return pluginError(
    "SIO_FASTIFY_UNKNOWN_FASTIFY",
    `Fastify ${version} does not have the validator compilers of its scopes where @plugboard/fastify looks for them: ` +
      "use an earlier one, or schemas that are a Standard Schema",
  );
}

/** What Fastify keeps under a symbol: no method of an instance does what a request does with `compileValidationSchema`. */
function internal<Value>(instance: FastifyInstance, description: string): Value | undefined {
  for (let owner: object | null = instance; owner !== null; owner = Object.getPrototypeOf(owner) as object | null) {
    const symbol = Object.getOwnPropertySymbols(owner).find((candidate) => candidate.description === description);
    if (symbol !== undefined) return (owner as Record<symbol, Value>)[symbol];
  }
  return undefined;
}
