/**
 * The type machinery behind typed events that server and client share: from a map of listeners to what `on` and `emit`
 * accept (spec/server.md 3.13, spec/client.md 5).
 *
 * An *event map* is an interface whose keys are event names and whose values are listeners. Nothing here exists at run time.
 */

/** What an event map has to fit: any interface whose values are listeners. */
export interface EventsMap {
  [event: string]: any;
}

/** The event map of a program that has none: every name, every argument. */
export interface DefaultEventsMap {
  [event: string]: (...args: any[]) => void;
}

/** `Then` when `Type` is `any`, else `Else`. */
export type IfAny<Type, Then, Else> = 0 extends 1 & Type ? Then : Else;

/** Names of the events of a map. Numbers are no event names, although an index signature would allow them. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);

/** Parameters of the listener of an event. */
export type EventParams<Map extends EventsMap, Event extends EventNames<Map>> = Parameters<Map[Event]>;

/** Last element of a tuple, also when it is optional; the element of an array; `never` of an empty tuple. */
export type Last<Items extends readonly any[]> = Items extends readonly []
  ? never
  : Required<Items> extends readonly [...any[], infer Item]
    ? Item
    : Items[number];

/** A tuple without its last element, an array as it is. */
export type AllButLast<Items extends readonly any[]> = Items extends readonly [...infer Head, any?] ? Head : Items;

/** Names of the events that can be listened to: ours and those of the user. */
export type ReservedOrUserEventNames<Reserved extends EventsMap, User extends EventsMap> =
  EventNames<Reserved> | EventNames<User>;

/** The listener of an event, ours first. Where neither map knows better, any function. */
export type ReservedOrUserListener<Reserved extends EventsMap, User extends EventsMap, Event> = OrUntyped<
  Event extends EventNames<Reserved> ? Reserved[Event] : Event extends EventNames<User> ? User[Event] : never
>;

type OrUntyped<Listener> = [Listener] extends [never] ? (...args: any[]) => void | Promise<void> : Listener;
