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
