import {
  asyncApi,
  type AsyncApiDocument,
  type AsyncApiOptions as ContractOptions,
  type Contract,
  type EventDefinition,
  type JsonSchema,
  type StandardSchema,
} from "@plugboard/contract";
import { contractOf, type Namespace, type Server } from "@plugboard/server";
import { bundledSchema } from "./bundled-schema.js";
import type { DeclaredEvent } from "./declared-event.js";
import { isStandardSchema } from "./validation.js";

/** Options of `fastify.asyncapi`. */
export interface AsyncApiOptions extends Pick<ContractOptions, "description" | "servers"> {
  /** Name of the application. Default: "Socket.IO". */
  title?: string;
  /** Version of the application, not of AsyncAPI. Default: "1.0.0". */
  version?: string;
  /**
   * Gives the JSON Schema (draft 7) of a schema that is none and whose library does not offer Standard JSON Schema.
   * `undefined`: ask the schema. Default: every schema is asked.
   *
   * @param direction - `input`: what the schema accepts, `output`: what it makes of it
   */
  toJsonSchema?: (schema: unknown, direction: "input" | "output") => JsonSchema | undefined;
  /** Name of the decorator of the server. Default: "io". */
  io?: string;
}

type Definitions = Record<string, EventDefinition>;

/**
 * Describes the events of an application: those of `io.event`, and those of the contracts that its namespaces have.
 *
 * @param events - what both have is described by the schemas of `io.event`, where it has them
 * @param nameOf - names of namespaces that stand for a pattern
 */
export function describeEvents(
  io: Server,
  events: readonly DeclaredEvent[],
  nameOf: (namespace: Namespace) => string,
  { title = "Socket.IO", version = "1.0.0", description, servers, toJsonSchema }: AsyncApiOptions,
): AsyncApiDocument {
  const given = new Map<StandardSchema, unknown>();
  const describable = (schema: unknown, event: DeclaredEvent): StandardSchema => {
    const made = isStandardSchema(schema) ? schema : standardJsonSchema(schema, event);
    given.set(made, schema);
    return made;
  };
  const contracts: Record<`/${string}`, Contract<Definitions, Definitions>> = {};
  const contractAt = (name: string): Contract<Definitions, Definitions> =>
    (contracts[name as `/${string}`] ??= { client: definitions(), server: definitions() });

  for (const namespace of namespacesOf(io)) {
    const contract = contractOf(namespace);
    if (contract === undefined) continue;
    const { client, server } = contractAt(nameOf(namespace));
    Object.assign(client, contract.client);
    Object.assign(server, contract.server);
  }
  for (const event of events) {
    const { client } = contractAt(event.namespace);
    const { payload, ack, description: text } = event.schema;
    client[event.name] = {
      ...client[event.name],
      ...(payload !== undefined && { payload: describable(payload, event) }),
      ...(ack !== undefined && { ack: describable(ack, event) }),
      ...(text !== undefined && { description: text }),
    };
  }
  return asyncApi(contracts, {
    title,
    version,
    ...(description !== undefined && { description }),
    ...(servers !== undefined && { servers }),
    toJsonSchema: (schema, direction) => toJsonSchema?.(given.get(schema) ?? schema, direction),
  });
}

/** Of the children of a pattern, the pattern alone. */
function namespacesOf(io: Server): Set<Namespace> {
  const parents = [...io.parentNsps.values()];
  const namespaces = new Set<Namespace>([...io._nsps.values(), ...parents]);
  for (const { children } of parents) for (const child of children) namespaces.delete(child);
  return namespaces;
}

/** Any name may be that of an event. */
function definitions(): Definitions {
  return Object.create(null) as Definitions;
}

/** A schema for the compiler of a scope is a JSON Schema, unless the scope has a compiler for something else. */
function standardJsonSchema(schema: unknown, { instance }: DeclaredEvent): StandardSchema {
  const toJson = (): JsonSchema => bundledSchema(schema as object, instance.getSchemas());
  return {
    "~standard": {
      version: 1,
      vendor: "the validator compiler",
      validate: (value) => ({ value }),
      ...(isPlain(schema) && { jsonSchema: { input: toJson, output: toJson } }),
    },
  };
}

function isPlain(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  const prototype: unknown = Object.getPrototypeOf(schema);
  return prototype === null || prototype === Object.prototype;
}
