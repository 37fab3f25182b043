import type { ErrorAnswer } from "./event-error.js";
import type { InferInput, InferOutput, StandardSchema } from "./standard-schema.js";

/** What a contract says about one event. */
export interface EventDefinition {
  /** Of the one argument of the event. Left out: the event has none. */
  readonly payload?: StandardSchema | undefined;
  /** Of the answer. Left out: the event is not answered. */
  readonly ack?: StandardSchema | undefined;
  /** For people who read the document that `asyncApi` makes. */
  readonly description?: string | undefined;
}

/** Definitions by the names of the events. */
export interface EventDefinitions {
  readonly [event: string]: EventDefinition;
}

/** Who sends an event. */
export type Side = "client" | "server";

/** The events of one namespace; `defineEvents` makes it. Its maps inherit nothing: a name that is not there is unknown. */
export interface Contract<
  Client extends EventDefinitions = EventDefinitions,
  Server extends EventDefinitions = EventDefinitions,
> {
  /** What clients send. */
  readonly client: Client;
  /** What the server sends. */
  readonly server: Server;
}

/** Names of the events that one side sends. */
export type EventsOf<C extends Contract, From extends Side> = keyof C[From] & string;

/** Names of those that are answered. */
export type AnsweredEventsOf<C extends Contract, From extends Side> = {
  [Event in EventsOf<C, From>]: C[From][Event] extends { readonly ack: StandardSchema } ? Event : never;
}[EventsOf<C, From>];

/** What who listens to an event gets: what the schema makes of the payload; `undefined` where there is none. */
export type PayloadOf<C extends Contract, From extends Side, Event extends EventsOf<C, From>> = Output<
  C[From][Event],
  "payload"
>;

/** What who emits an event has to give; `undefined` where there is no payload. */
export type PayloadInputOf<C extends Contract, From extends Side, Event extends EventsOf<C, From>> = Input<
  C[From][Event],
  "payload"
>;

/** What who answers an event has to give; `undefined` where no answer is due. */
export type AckInputOf<C extends Contract, From extends Side, Event extends EventsOf<C, From>> = Input<
  C[From][Event],
  "ack"
>;

/** What the schema makes of an answer; `undefined` where none is due. */
export type AckOutputOf<C extends Contract, From extends Side, Event extends EventsOf<C, From>> = Output<
  C[From][Event],
  "ack"
>;

/** Arguments of who emits an event, without an acknowledgement: one, or none; optional where the schema takes `undefined`. */
export type EmitArgsOf<
  C extends Contract,
  From extends Side,
  Event extends EventsOf<C, From>,
> = C[From][Event] extends HasPayload
  ? undefined extends PayloadInputOf<C, From, Event>
    ? [payload?: PayloadInputOf<C, From, Event>]
    : [payload: PayloadInputOf<C, From, Event>]
  : [];

/** What a server with this contract listens to: the first type parameter of its `Server`. */
export type ServerListenEvents<C extends Contract> = ListenMap<C, "client">;

/** What a server with this contract emits: the second type parameter of its `Server`. */
export type ServerEmitEvents<C extends Contract> = EmitMap<C, "server">;

/** What a client with this contract listens to: the first type parameter of its `Socket`. */
export type ClientListenEvents<C extends Contract> = ListenMap<C, "server">;

/** What a client with this contract emits: the second type parameter of its `Socket`. */
export type ClientEmitEvents<C extends Contract> = EmitMap<C, "client">;

interface HasPayload {
  readonly payload: StandardSchema;
}

interface HasAck {
  readonly ack: StandardSchema;
}

type Output<Definition, Part extends "payload" | "ack"> =
  Definition extends Readonly<Record<Part, infer Schema extends StandardSchema>> ? InferOutput<Schema> : undefined;

type Input<Definition, Part extends "payload" | "ack"> =
  Definition extends Readonly<Record<Part, infer Schema extends StandardSchema>> ? InferInput<Schema> : undefined;

type ListenMap<C extends Contract, From extends Side> = {
  [Event in EventsOf<C, From>]: (
    ...args: [
      ...(C[From][Event] extends HasPayload ? [payload: PayloadOf<C, From, Event>] : []),
      ...(C[From][Event] extends HasAck ? [ack: (answer: AckInputOf<C, From, Event> | ErrorAnswer) => void] : []),
    ]
  ) => void;
};

type EmitMap<C extends Contract, From extends Side> = {
  [Event in EventsOf<C, From>]: (
    ...args: C[From][Event] extends HasAck
      ? [
          ...(C[From][Event] extends HasPayload ? [payload: PayloadInputOf<C, From, Event>] : []),
          ack: (answer: AckOutputOf<C, From, Event> | ErrorAnswer) => void,
        ]
      : EmitArgsOf<C, From, Event>
  ) => void;
};
