/**
 * The type machinery behind typed events: from a map of listeners to what `on`, `emit`, `emitWithAck` and the broadcast
 * operators accept (spec/server.md 3.13). What the client needs as well comes from `protocol`.
 *
 * Two words used below. An *event map* is an interface whose keys are event names and whose values are listeners. The
 * *acknowledgement* of an event is the last parameter of its listener, when that is a function. A listener typed `any`, or
 * with parameters typed `any[]`, is *untyped*: it counts as having an acknowledgement and as having none, so that a program
 * without event maps may do everything.
 *
 * Nothing here exists at run time.
 */
import type {
  AllButLast,
  DefaultEventsMap,
  EventNames,
  EventParams,
  EventsMap,
  IfAny,
  Last,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from "@plugboard/protocol";
import type { EventEmitter } from "node:events";

export type { AllButLast, DefaultEventsMap, EventNames, EventParams, EventsMap, Last };

type AnyFunction = (...args: any[]) => any;

/** Parameters of a function; unlike `Parameters` it has no opinion on what is none. */
type ParametersOf<Listener> = Listener extends (...args: infer Params) => any ? Params : never;

type LastParameter<Listener> = IfAny<Listener, any, Last<ParametersOf<Listener>>>;

/** `Yes` for listeners that end with an acknowledgement, `No` for those that do not, both for untyped ones. */
type ByAcknowledgement<Listener, Yes, No> = IfAny<
  LastParameter<Listener>,
  Yes | No,
  [LastParameter<Listener>] extends [never]
    ? No
    : NonNullable<LastParameter<Listener>> extends AnyFunction
      ? Yes | OptionalAcknowledgement<Listener, No>
      : No
>;

/** `No` when the acknowledgement may be left out, as in `(id: string, ack?: () => void) => void`. */
type OptionalAcknowledgement<Listener, No> = ParametersOf<Listener> extends readonly [...any[], any] ? never : No;

/** Names of the events that have an acknowledgement, and of the untyped ones. */
export type EventNamesWithAck<Map extends EventsMap, Event extends EventNames<Map> = EventNames<Map>> =
  Event extends EventNames<Map> ? ByAcknowledgement<Map[Event], Event, never> : never;

/** Names of the events that can be sent without an acknowledgement, and of the untyped ones. */
export type EventNamesWithoutAck<Map extends EventsMap, Event extends EventNames<Map> = EventNames<Map>> =
  Event extends EventNames<Map> ? ByAcknowledgement<Map[Event], never, Event> : never;

/** Names of the events whose acknowledgement gets an error first: after `timeout()`, all that have one. */
export type EventNamesWithError<Map extends EventsMap, Event extends EventNamesWithAck<Map> = EventNamesWithAck<Map>> =
  Event extends EventNamesWithAck<Map>
    ? IfAny<LastParameter<Map[Event]>, Event, IfErrorFirst<LastParameter<Map[Event]>, Event>>
    : never;

type IfErrorFirst<Acknowledgement, Then> =
  NonNullable<Acknowledgement> extends (error: infer First, ...rest: any[]) => any
    ? [First] extends [Error]
      ? Then
      : never
    : never;

/** A map without the events that need an acknowledgement. */
export type RemoveAcknowledgements<Map extends EventsMap> = { [Event in EventNamesWithoutAck<Map>]: Map[Event] };

/** Whether parameters begin with an error; `any` is taken for something else. */
type HasErrorFirst<Params extends readonly any[]> = IfAny<Params[0], false, Params[0] extends Error ? true : false>;

/** The type an acknowledgement is awaited for: its second parameter if the first is an `Error`, else the first. */
export type FirstNonErrorArg<Acknowledgement> =
  NonNullable<Acknowledgement> extends (...args: infer Params) => any
    ? HasErrorFirst<Params> extends true
      ? Params[1]
      : Params[0]
    : any;

type WithErrorFirst<Parameter> = Parameter extends (...args: infer Params) => infer Result
  ? HasErrorFirst<Params> extends true
    ? Parameter
    : (err: Error, ...args: Params) => Result
  : Parameter;

/** A map whose acknowledgements get `err: Error` first, as `timeout()` calls them. Applying it twice changes nothing. */
export type DecorateAcknowledgements<Map> = {
  [Event in keyof Map]: Map[Event] extends (...args: infer Params) => infer Result
    ? (...args: { [Index in keyof Params]: WithErrorFirst<Params[Index]> }) => Result
    : Map[Event];
};

/** The first parameter alone, with its label, which a tuple built from scratch would lose. */
type FirstOf<Params extends readonly any[]> = Params extends readonly [any, ...infer Rest]
  ? Params extends readonly [...infer First, ...Rest]
    ? First
    : never
  : Params;

type ListOfEach<Items extends readonly any[]> = { [Index in keyof Items]: Items[Index][] };

type WithResponses<Parameter> = Parameter extends (...args: infer Params) => infer Result
  ? HasErrorFirst<Params> extends true
    ? Params extends readonly [any, ...infer Rest]
      ? (err: Error, ...args: ListOfEach<FirstOf<Rest>>) => Result
      : Parameter
    : (...args: ListOfEach<FirstOf<Params>>) => Result
  : Parameter;

/** A map whose acknowledgements get a list, one response per client, of what each client answered first. */
export type DecorateAcknowledgementsWithMultipleResponses<Map> = {
  [Event in keyof Map]: Map[Event] extends (...args: infer Params) => infer Result
    ? (...args: { [Index in keyof Params]: WithResponses<Params[Index]> }) => Result
    : Map[Event];
};

/** A map whose acknowledgements get an error, then a list of responses: broadcasts after `timeout()`. */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<Map> = DecorateAcknowledgements<
  DecorateAcknowledgementsWithMultipleResponses<Map>
>;

/** Type of the first argument of an event; `undefined` where there is none but an acknowledgement. */
export type PayloadOf<Map extends EventsMap, Event extends EventNames<Map>> = IfAny<
  Map[Event],
  any,
  EventParams<Map, Event> extends readonly [infer First, ...any[]]
    ? IfAny<First, any, NonNullable<First> extends AnyFunction ? undefined : First>
    : EventParams<Map, Event> extends readonly []
      ? undefined
      : EventParams<Map, Event>[0]
>;

/** Type of what answers an event: of the first argument of its acknowledgement; anything where there is none. */
export type AnswerOf<Map extends EventsMap, Event extends EventNames<Map>> = IfAny<
  LastParameter<Map[Event]>,
  any,
  NonNullable<LastParameter<Map[Event]>> extends (...args: infer Params) => any
    ? Params extends readonly []
      ? void
      : Params[0]
    : unknown
>;

/** Arguments of `send`: those of the `message` event, which a typed map has to have. */
export type MessageParams<Map extends EventsMap> =
  "message" extends EventNames<Map> ? EventParams<Map, "message"> : never;

/** Something that sends typed events to many. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  emit<Event extends EventNames<EmitEvents>>(event: Event, ...args: EventParams<EmitEvents, Event>): boolean;
}

/** An event emitter that knows which events it hears, which it sends, and which are its own. */
export interface StrictEventEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = {},
>
  extends EventEmitter, TypedEventBroadcaster<EmitEvents> {
  on<Event extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Event,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Event>,
  ): this;
  once<Event extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Event,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Event>,
  ): this;
  emit<Event extends EventNames<EmitEvents>>(event: Event, ...args: EventParams<EmitEvents, Event>): boolean;
  listeners<Event extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Event,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Event>[];
}
