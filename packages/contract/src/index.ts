export {
  asyncApi,
  type AsyncApiChannel,
  type AsyncApiDocument,
  type AsyncApiMessage,
  type AsyncApiOperation,
  type AsyncApiOptions,
  type AsyncApiServer,
} from "./async-api.js";
export {
  fromJsonSchema,
  type GuardedBy,
  type JsonSchemaChecker,
  type JsonSchemaError,
  type JsonSchemaFunction,
} from "./from-json-schema.js";
export type { JsonSchema, ToJsonSchema } from "./json-schema.js";
export type {
  InferInput,
  InferOutput,
  StandardIssue,
  StandardJsonSchema,
  StandardResult,
  StandardSchema,
  StandardSchemaProps,
} from "./standard-schema.js";
export { type ErrorAnswer, errorAnswer, EventError, isErrorAnswer, isEventError } from "./event-error.js";
export { type InvalidCode, type Issue, parse } from "./parse.js";
export {
  type ClientSocketLike,
  type ContractClient,
  contractClient,
  type ContractClientOptions,
  type ContractListener,
} from "./contract-client.js";
export { defineEvents } from "./define-events.js";
export type {
  AckInputOf,
  AckOutputOf,
  AnsweredEventsOf,
  ClientEmitEvents,
  ClientListenEvents,
  Contract,
  EmitArgsOf,
  EventDefinition,
  EventDefinitions,
  EventsOf,
  PayloadInputOf,
  PayloadOf,
  ServerEmitEvents,
  ServerListenEvents,
  Side,
} from "./contract.js";
