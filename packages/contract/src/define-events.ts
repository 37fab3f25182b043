import type { Contract, EventDefinition, EventDefinitions } from "./contract.js";
import { EventError } from "./event-error.js";
import { isStandardSchema, type StandardSchema } from "./standard-schema.js";

/** Names that sockets of either end keep to themselves. */
const RESERVED_EVENTS: ReadonlySet<string> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

/**
 * Makes the contract of a namespace: which events its clients and its server send, with what payload, answered by what.
 *
 * @param definitions - `{ client: { "todo:add": { payload, ack } }, server: { "todo:added": { payload } } }`. Every part may
 * be left out: an event without `payload` has no argument, one without `ack` is not answered. `payload` and `ack` are
 * Standard Schemas. `description` goes into the document that `asyncApi` makes.
 * @returns the definitions, copied and frozen
 * @throws EventError with code `SIO_RESERVED_EVENT` for a name that sockets keep to themselves (`connect`, `connect_error`,
 * `disconnect`, `disconnecting`, `newListener`, `removeListener`), `SIO_NO_SCHEMA` for a `payload` or `ack` that is no
 * Standard Schema, `SIO_INVALID_DEFINITION` for anything else that a definition cannot have
 */
export function defineEvents<Client extends EventDefinitions = {}, Server extends EventDefinitions = {}>(definitions: {
  readonly client?: Client;
  readonly server?: Server;
}): Contract<Client, Server> {
  return Object.freeze({
    client: checked("client", definitions.client) as Client,
    server: checked("server", definitions.server) as Server,
  });
}

/** A copy without prototype: the name of an event comes from the network, and "constructor" may be one. */
function checked(side: string, definitions: EventDefinitions = {}): EventDefinitions {
  const copy: Record<string, EventDefinition> = Object.create(null);
  for (const [event, definition] of Object.entries(definitions)) {
    const what = `event "${event}" of the ${side}`;
    if (RESERVED_EVENTS.has(event)) throw new EventError("SIO_RESERVED_EVENT", `${what}: the name is reserved`);
    copy[event] = Object.freeze(checkedDefinition(what, definition));
  }
  return Object.freeze(copy);
}

function checkedDefinition(what: string, definition: EventDefinition): EventDefinition {
  if (typeof definition !== "object" || definition === null) {
    throw new EventError("SIO_INVALID_DEFINITION", `${what}: expected an object such as { payload, ack }`);
  }
  const copy: { payload?: StandardSchema; ack?: StandardSchema; description?: string } = {};
  for (const [key, value] of Object.entries(definition)) {
    if (value === undefined) continue;
    if (key === "payload" || key === "ack") {
      if (!isStandardSchema(value)) throw new EventError("SIO_NO_SCHEMA", `${what}: ${key} is no Standard Schema`);
      copy[key] = value;
    } else if (key === "description" && typeof value === "string") {
      copy.description = value;
    } else {
      throw new EventError("SIO_INVALID_DEFINITION", `${what}: ${key} is not of { payload, ack, description }`);
    }
  }
  return copy;
}
