import { unknownOption } from "@plugboard/server";
import { pluginError } from "./plugin-error.js";

/**
 * Refuses options that there are not: a `preHandler` whose name is mistyped would let everyone in.
 *
 * @param owner - whose options they are, for people
 * @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION`
 */
export function checkNames(owner: string, given: unknown, known: readonly string[]): void {
  checkObject(owner, given);
  const mistake = unknownOption(owner, given, known);
  if (mistake !== undefined) throw invalidOption(mistake);
}

/** @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION` */
export function checkObject(owner: string, given: unknown): asserts given is object {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return;
  throw invalidOption(`${owner} has to be an object with options, and is ${shown(given)}`);
}

/** @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION` unless it is a function, several of them, or left out */
export function checkFunctions(name: string, given: unknown): void {
  for (const one of Array.isArray(given) ? (given as unknown[]) : [given]) {
    if (one !== undefined && typeof one !== "function") {
      throw invalidOption(`${name} has to be a function or an array of them, and is ${shown(one)}`);
    }
  }
}

/** @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION` */
export function checkHandler(what: string, given: unknown): void {
  if (typeof given !== "function")
    throw invalidOption(`${what} has to end with a function, and ends with ${shown(given)}`);
}

export function invalidOption(message: string, cause?: unknown): Error {
  return pluginError("SIO_FASTIFY_INVALID_OPTION", message, cause);
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null
    ? Array.isArray(value)
      ? "an array"
      : "an object"
    : String(value);
}
