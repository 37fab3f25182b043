import type { Contract, EventDefinition } from "./contract.js";
import { EventError } from "./event-error.js";
import { convertSchema, type JsonSchema, type ToJsonSchema } from "./json-schema.js";
import type { StandardSchema } from "./standard-schema.js";

/** A server as AsyncAPI describes it. */
export interface AsyncApiServer {
  /** Name or address, with the port where it matters. */
  readonly host: string;
  /** `ws`, `wss`, `http` or `https`. */
  readonly protocol: string;
  /** The path of the engine, such as `/socket.io/`. */
  readonly pathname?: string;
  readonly description?: string;
}

export interface AsyncApiOptions {
  /** Name of the application. */
  readonly title: string;
  /** Version of the application, not of AsyncAPI. */
  readonly version: string;
  readonly description?: string;
  /** Where it can be reached, by names of your own. */
  readonly servers?: Readonly<Record<string, AsyncApiServer>>;
  /**
   * Gives the JSON Schema (draft 7) of a schema whose library does not offer Standard JSON Schema, or another one than it
   * offers. `undefined`: ask the schema. Default: every schema is asked.
   *
   * @param direction - `input`: what the schema accepts, `output`: what it makes of it
   */
  readonly toJsonSchema?: ToJsonSchema;
}

interface Reference {
  $ref: string;
}

/** A message: the one argument of an event, or its answer. */
export interface AsyncApiMessage {
  /** Name of the event, or of the answer. */
  name: string;
  title: string;
  description?: string;
  payload?: Reference;
}

/** A namespace. */
export interface AsyncApiChannel {
  /** Name of the namespace. */
  address: string;
  messages: Record<string, AsyncApiMessage>;
}

/** An event. */
export interface AsyncApiOperation {
  /** As seen from the server: it receives what clients emit. */
  action: "send" | "receive";
  title: string;
  description?: string;
  channel: Reference;
  messages: Reference[];
  reply?: { channel: Reference; messages: Reference[] };
}

/** An AsyncAPI document, ready for `JSON.stringify`. */
export interface AsyncApiDocument {
  asyncapi: "3.0.0";
  info: { title: string; version: string; description?: string };
  defaultContentType: "application/json";
  servers?: Record<string, AsyncApiServer>;
  channels: Record<string, AsyncApiChannel>;
  operations: Record<string, AsyncApiOperation>;
  components: { schemas: Record<string, JsonSchema> };
}

/**
 * Describes contracts as an AsyncAPI 3.0 document, from the server's point of view: a channel for each namespace, a message
 * for each payload and answer, an operation for each event, which the server receives or sends; `reply` tells of the answer,
 * which may also be an `ErrorAnswer`.
 *
 * The schemas are those of what travels: what a schema accepts where clients send, what it makes of it where the server does.
 *
 * @param contracts - a contract, which is that of the namespace `/`, or contracts by the names of namespaces
 * @throws EventError with code `SIO_NO_JSON_SCHEMA` when neither `toJsonSchema` nor a schema itself gives a JSON Schema
 */
export function asyncApi(
  contracts: Contract | Readonly<Record<`/${string}`, Contract>>,
  { title, version, description, servers, toJsonSchema }: AsyncApiOptions,
): AsyncApiDocument {
  const document: AsyncApiDocument = {
    asyncapi: "3.0.0",
    info: { title, version, ...(description !== undefined && { description }) },
    defaultContentType: "application/json",
    ...(servers !== undefined && { servers: { ...servers } }),
    channels: {},
    operations: {},
    components: { schemas: { ErrorAnswer: errorAnswerSchema() } },
  };
  const namespaces = isContract(contracts) ? { "/": contracts } : contracts;
  for (const [namespace, contract] of Object.entries(namespaces)) {
    describeNamespace(document, namespace, contract, toJsonSchema);
  }
  return document;
}

function isContract(contracts: Contract | Readonly<Record<`/${string}`, Contract>>): contracts is Contract {
  return "client" in contracts && "server" in contracts;
}

function describeNamespace(
  document: AsyncApiDocument,
  namespace: string,
  contract: Contract,
  toJsonSchema: ToJsonSchema | undefined,
): void {
  const id = freeKey(document.channels, namespace === "/" ? "main" : namespace.slice(1));
  const channel: AsyncApiChannel = { address: namespace, messages: {} };
  document.channels[id] = channel;
  const channelReference = { $ref: `#/channels/${id}` };

  const addMessage = (key: string, message: AsyncApiMessage): Reference => {
    const messageId = freeKey(channel.messages, key);
    channel.messages[messageId] = message;
    return { $ref: `#/channels/${id}/messages/${messageId}` };
  };

  const addSchema = (name: string, schema: StandardSchema, direction: "input" | "output"): Reference => {
    const { schemas } = document.components;
    const schemaId = freeKey(schemas, `${id}.${name}`);
    const base = `#/components/schemas/${schemaId}`;
    try {
      schemas[schemaId] = convertSchema(schema, direction, base, toJsonSchema);
    } catch (cause) {
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      throw new EventError("SIO_NO_JSON_SCHEMA", `no JSON Schema of ${name} in ${namespace}${why}`, undefined, {
        cause,
      });
    }
    return { $ref: base };
  };

  let failure: Reference | undefined;
  const errorMessage = () =>
    (failure ??= addMessage("ErrorAnswer", {
      name: "ErrorAnswer",
      title: "The event failed",
      payload: { $ref: "#/components/schemas/ErrorAnswer" },
    }));

  const addEvent = (event: string, { payload, ack, description }: EventDefinition, isReceived: boolean) => {
    const describing = description === undefined ? {} : { description };
    const message: AsyncApiMessage = { name: event, title: event, ...describing };
    if (payload !== undefined) message.payload = addSchema(event, payload, isReceived ? "input" : "output");
    const action = isReceived ? "receive" : "send";
    const operation: AsyncApiOperation = {
      action,
      title: event,
      ...describing,
      channel: channelReference,
      messages: [addMessage(event, message)],
    };
    if (ack !== undefined) {
      const name = `${event}.ack`;
      const answer: AsyncApiMessage = { name, title: `Answer to ${event}` };
      answer.payload = addSchema(name, ack, isReceived ? "output" : "input");
      operation.reply = { channel: channelReference, messages: [addMessage(name, answer), errorMessage()] };
    }
    document.operations[freeKey(document.operations, `${action}.${id}.${event}`)] = operation;
  };

  for (const [event, definition] of Object.entries(contract.client)) addEvent(event, definition, true);
  for (const [event, definition] of Object.entries(contract.server)) addEvent(event, definition, false);
}

/** A key that AsyncAPI allows, that is not taken and not `__proto__`, like a name, which may be any text. */
function freeKey(taken: object, name: string): string {
  const plain = name.replaceAll(/[^\w.-]|^_+/g, "_") || "_";
  let key = plain;
  for (let number = 2; Object.hasOwn(taken, key); number++) key = `${plain}_${number}`;
  return key;
}

function errorAnswerSchema(): JsonSchema {
  return {
    type: "object",
    description: "The event failed",
    properties: {
      status: { const: "error" },
      code: { type: "string", description: "For programs, such as SIO_INVALID_PAYLOAD" },
      message: { type: "string", description: "For people" },
      data: { description: "More about it; what it is depends on the code" },
    },
    required: ["status", "code", "message"],
  };
}
