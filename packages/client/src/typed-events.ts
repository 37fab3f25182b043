/**
 * The type machinery behind the typed events of the client (spec/client.md 5); what the server needs as well comes from
 * `protocol`. The *acknowledgement* of an event is the last parameter of its listener, when that is a function.
 *
 * Nothing here exists at run time.
 */
import type {
  EventNames,
  EventParams,
  EventsMap,
  IfAny,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from "@plugboard/protocol";

type WithErrorFirst<Parameter> = Parameter extends (...args: infer Params) => infer Result
  ? (err: Error, ...args: Params) => Result
  : Parameter;

/** A map whose acknowledgements get `err: Error` first, as `timeout()` calls them. */
export type DecorateAcknowledgements<Map> = {
  [Event in keyof Map]: Map[Event] extends (...args: infer Params) => infer Result
    ? (...args: { [Index in keyof Params]: WithErrorFirst<Params[Index]> }) => Result
    : Map[Event];
};

/** Whether a parameter is `Error` itself. A subtype is not: what has a name and a message is one by structure, a chat message too. */
type IsError<Type> = (<T>() => T extends Type ? 1 : 2) extends <T>() => T extends Error ? 1 : 2 ? true : false;

/** The first argument behind errors. When one that may be an error comes first, it depends on `ackTimeout` which one is awaited. */
type FirstAnswer<Params extends readonly any[]> = Params extends readonly [infer First, ...infer Rest]
  ? IsError<First> extends true
    ? FirstAnswer<Rest>
    : Rest extends readonly []
      ? First
      : IfMayBeError<First, any, First>
  : Params[0];

type IfMayBeError<Type, Then, Else> = Error extends Type ? Then : [NonNullable<Type>] extends [Error] ? Then : Else;

/** What `emitWithAck` resolves to; `any` where the map does not tell. */
export type Answer<Acknowledgement> = [Acknowledgement] extends [never]
  ? any
  : IfAny<
      Acknowledgement,
      any,
      NonNullable<Acknowledgement> extends (...args: infer Params) => any ? FirstAnswer<Params> : any
    >;

/** An emitter that knows which events it hears, which it sends, and which are its own (spec/client.md 1.8). */
export interface TypedEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap = {},
> {
  /** Adds a listener. The same one may be added several times. */
  on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** The same as `on`. */
  addEventListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** Adds a listener that is removed before it runs. */
  once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** Removes the first registration of a listener; without a listener all of that event; without an event all. */
  off<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** The same as `off`. */
  removeListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** The same as `off`. */
  removeEventListener<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** The same as `off`. */
  removeAllListeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    ev?: Ev,
    listener?: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** Calls the listeners in the order they were added; a socket sends the event to the server instead. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): this;
  /** The listeners of an event. */
  listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[];
  // Not generic: where the map stands in a parameter as it is, the compiler can tell it from another copy of these types.
  /** Whether an event has listeners. */
  hasListeners(event: ReservedOrUserEventNames<ReservedEvents, ListenEvents>): boolean;
}
