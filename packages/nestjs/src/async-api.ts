import { ModulesContainer } from "@nestjs/core";
import {
  asyncApi,
  defineEvents,
  type AsyncApiDocument,
  type AsyncApiOptions,
  type Contract,
  type EventDefinition,
} from "@plugboard/contract";
import { handledEventOf } from "./contract-events.js";
import { findGateways, type GatewayOptions } from "./gateways.js";
import { methodsOf } from "./methods-of.js";
import type { ProviderSource } from "./socket-io-adapter.js";

type Definitions = Record<string, EventDefinition>;

/**
 * Describes what the gateways of an application handle by `@WsEvent`, and what the server sends by the same contracts, as an
 * AsyncAPI 3 document with a channel for each namespace.
 *
 * @param options - of `asyncApi` of `@plugboard/contract`: `{ title, version, description?, servers?, toJsonSchema? }`
 * @throws Error when two contracts of a namespace give one event different schemas; EventError with code
 * `SIO_NO_JSON_SCHEMA` for a schema that has no JSON Schema
 */
export function createAsyncApi(app: ProviderSource, options: AsyncApiOptions): AsyncApiDocument {
  const namespaces = new Map<string, { client: Definitions; server: Definitions }>();
  for (const { type, options: gatewayOptions } of findGateways(app.get(ModulesContainer, { strict: false }))) {
    for (const method of methodsOf(type.prototype as object)) {
      const handled = handledEventOf(method);
      if (handled === undefined) continue;
      const name = addressOf(gatewayOptions);
      const found = namespaces.get(name) ?? { client: {}, server: {} };
      namespaces.set(name, found);
      const { contract, event } = handled;
      add(found.client, { [event]: contract.client[event] as EventDefinition }, name);
      add(found.server, contract.server, name);
    }
  }
  const contracts: Record<string, Contract> = {};
  for (const [name, definitions] of namespaces) contracts[name] = defineEvents(definitions);
  return asyncApi(contracts, options);
}

function add(all: Definitions, some: Readonly<Definitions>, namespace: string): void {
  for (const [event, definition] of Object.entries(some)) {
    const known = all[event];
    if (known !== undefined && (known.payload !== definition.payload || known.ack !== definition.ack)) {
      throw new Error(`two contracts of the namespace ${namespace} give the event "${event}" different schemas`);
    }
    all[event] = definition;
  }
}

function addressOf({ namespace = "/" }: GatewayOptions): string {
  const text = String(namespace);
  return text.startsWith("/") ? text : `/${text}`;
}
