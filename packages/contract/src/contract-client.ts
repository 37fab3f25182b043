import type {
  AckInputOf,
  AckOutputOf,
  AnsweredEventsOf,
  Contract,
  EmitArgsOf,
  EventDefinition,
  EventsOf,
  PayloadOf,
  Side,
} from "./contract.js";
import { type ErrorAnswer, errorAnswer, EventError, isErrorAnswer, isEventError } from "./event-error.js";
import { isPromise, parse } from "./parse.js";
import type { StandardSchema } from "./standard-schema.js";

/** What is needed of a client socket, whatever its events: `socket.io-client` from 4.6 and `@plugboard/client` have it. */
export interface ClientSocketLike {
  emit(event: never, ...args: never[]): unknown;
  emitWithAck(event: never, ...args: never[]): Promise<unknown>;
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
}

/** The same, when its events are not known. */
interface UntypedSocket {
  emit(event: string, ...args: unknown[]): unknown;
  emitWithAck(event: string, ...args: unknown[]): Promise<unknown>;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** A listener of an event of the server. What it returns answers the event, if the event is answered. */
export type ContractListener<C extends Contract, Event extends EventsOf<C, "server">> = (
  ...args: C["server"][Event] extends { readonly payload: StandardSchema }
    ? [payload: PayloadOf<C, "server", Event>]
    : []
) => Event extends AnsweredEventsOf<C, "server">
  ? AckInputOf<C, "server", Event> | ErrorAnswer | Promise<AckInputOf<C, "server", Event> | ErrorAnswer>
  : unknown;

/** A client socket that keeps to a contract. */
export interface ContractClient<C extends Contract> {
  /**
   * Sends an event without waiting for an answer. With an asynchronous schema it leaves when the payload is validated,
   * which may be after events that were emitted later; an invalid payload then goes to `onInvalid`.
   *
   * @throws EventError `SIO_INVALID_PAYLOAD`, `SIO_UNKNOWN_EVENT`
   */
  emit<Event extends EventsOf<C, "client">>(event: Event, ...payload: EmitArgsOf<C, "client", Event>): void;
  /**
   * Sends an event and waits for its answer, as long as the socket does: the option `ackTimeout` of the socket limits it.
   *
   * @returns what the schema makes of the answer. Rejects with an EventError: `SIO_INVALID_PAYLOAD` and `SIO_UNKNOWN_EVENT`
   * before anything is sent, the code of the answer when that tells of a failure, `SIO_INVALID_ACK` when it is not what the
   * contract says; with the error of the socket when no answer came.
   */
  emitWithAck<Event extends AnsweredEventsOf<C, "client">>(
    event: Event,
    ...payload: EmitArgsOf<C, "client", Event>
  ): Promise<AckOutputOf<C, "client", Event>>;
  /**
   * Adds a listener that gets what the schema makes of the payload. Invalid payloads go to `onInvalid` in its place. Of an
   * event that the server wants answered, the listener's return value is the answer; what it throws answers as
   * `errorAnswer` says, and is thrown on unless it is an EventError.
   *
   * @throws EventError `SIO_UNKNOWN_EVENT`
   */
  on<Event extends EventsOf<C, "server">>(event: Event, listener: ContractListener<C, Event>): this;
  /** The same, for the first event with a valid payload. */
  once<Event extends EventsOf<C, "server">>(event: Event, listener: ContractListener<C, Event>): this;
  /** Removes a listener; without one all that were added here. Those of the socket itself stay. */
  off<Event extends EventsOf<C, "server">>(event: Event, listener?: ContractListener<C, Event>): this;
}

export interface ContractClientOptions {
  /**
   * Hears of payloads that are not what the contract says, in either direction, and of invalid answers of listeners.
   * Default: `console.warn`, once for each event.
   */
  readonly onInvalid?: (error: EventError, event: string, value: unknown) => void;
}

type Listener = (...args: unknown[]) => unknown;

/**
 * A view of a client socket that validates, over a contract made by `defineEvents`. What it sends is checked and sent as it
 * was given, for the server to make of it what the schema says; what it receives is what the schema makes of it.
 *
 * @param typedSocket - of `socket.io-client` or `@plugboard/client`; it may be used beside the view
 */
export function contractClient<C extends Contract>(
  typedSocket: ClientSocketLike,
  contract: C,
  { onInvalid = warnOnce() }: ContractClientOptions = {},
): ContractClient<C> {
  // The contract says which events there are, so what the type of the socket says of them does not matter.
  const socket = typedSocket as UntypedSocket;
  let added: { event: string; listener: Listener; receive: Listener }[] = [];

  const add = (event: string, listener: Listener, isOnce: boolean) => {
    const definition = definitionOf(contract, "server", event);
    let isOver = false;
    const take = () => {
      if (isOver) return false;
      if (isOnce) {
        isOver = true;
        remove((entry) => entry.receive === receive);
      }
      return true;
    };
    const receive = receiver({ event, definition, listener, take, onInvalid });
    added.push({ event, listener, receive });
    socket.on(event, receive);
  };

  const remove = (isMeant: (entry: (typeof added)[number]) => boolean) => {
    for (const entry of added) if (isMeant(entry)) socket.off(entry.event, entry.receive);
    added = added.filter((entry) => !isMeant(entry));
  };

  // Typed as the socket would be without a contract: the interface says what the contract makes of it.
  const view = {
    emit(event: string, value?: unknown) {
      const { payload } = definitionOf(contract, "client", event);
      const send = () => void socket.emit(event, ...argumentsFor(payload, value));
      const checked = payload && parse(payload, value);
      if (isPromise(checked)) checked.then(send, (error) => onInvalid(error, event, value));
      else send();
    },

    async emitWithAck(event: string, value?: unknown) {
      const { payload, ack } = definitionOf(contract, "client", event);
      const checked = payload && parse(payload, value);
      // Only where it must: a socket sends events in the order of the calls.
      if (isPromise(checked)) await checked;
      const answer = await socket.emitWithAck(event, ...argumentsFor(payload, value));
      if (isErrorAnswer(answer)) throw new EventError(answer.code, answer.message, answer.data);
      return ack && parse(ack, answer, "SIO_INVALID_ACK");
    },

    on(event: string, listener: Listener) {
      add(event, listener, false);
      return view;
    },

    once(event: string, listener: Listener) {
      add(event, listener, true);
      return view;
    },

    off(event: string, listener?: Listener) {
      remove((entry) => entry.event === event && (listener === undefined || entry.listener === listener));
      return view;
    },
  };
  return view as unknown as ContractClient<C>;
}

function definitionOf(contract: Contract, from: Side, event: string): EventDefinition {
  const definition = contract[from][event];
  if (definition === undefined) {
    throw new EventError("SIO_UNKNOWN_EVENT", `the contract knows no event "${event}" of the ${from}`);
  }
  return definition;
}

/** `undefined` is not sent: JSON would make `null` of it. */
function argumentsFor(schema: StandardSchema | undefined, value: unknown): unknown[] {
  return schema === undefined || value === undefined ? [] : [value];
}

interface Subscription {
  readonly event: string;
  readonly definition: EventDefinition;
  readonly listener: Listener;
  /** Asked before the listener is called: whether it still wants to be. */
  take(): boolean;
  readonly onInvalid: NonNullable<ContractClientOptions["onInvalid"]>;
}

/** What is added to the socket for a listener. */
function receiver({ event, definition, listener, take, onInvalid }: Subscription): Listener {
  const { payload, ack } = definition;
  return (...args) => {
    const answer = typeof args.at(-1) === "function" ? (args.pop() as Listener) : undefined;
    const refuse = (error: EventError, value: unknown) => {
      answer?.(errorAnswer(error));
      onInvalid(error, event, value);
    };
    const run = (value: unknown) => {
      if (!take()) return undefined;
      const call = () => (payload === undefined ? listener() : listener(value));
      return answer === undefined ? call() : respond(call, ack, answer, refuse);
    };
    let value;
    try {
      value = payload && parse(payload, args[0]);
    } catch (error) {
      return refuse(error as EventError, args[0]);
    }
    return isPromise(value) ? value.then(run, (error) => refuse(error, args[0])) : run(value);
  };
}

/** Calls a listener and answers with what it returns. */
async function respond(
  call: () => unknown,
  ack: StandardSchema | undefined,
  answer: Listener,
  refuse: (error: EventError, value: unknown) => void,
): Promise<void> {
  let value;
  try {
    value = await call();
  } catch (error) {
    answer(errorAnswer(error));
    // Whatever a listener throws by mistake goes where it would go without a contract.
    if (!isEventError(error)) throw error;
    return;
  }
  if (isErrorAnswer(value)) return void answer(value);
  try {
    if (ack !== undefined) await parse(ack, value, "SIO_INVALID_ACK");
  } catch (error) {
    return refuse(error as EventError, value);
  }
  answer(...argumentsFor(ack, value));
}

function warnOnce(): NonNullable<ContractClientOptions["onInvalid"]> {
  const warned = new Set<string>();
  return (error, event) => {
    if (warned.has(event)) return;
    warned.add(event);
    const { console } = globalThis as unknown as { console: { warn(text: string): void } };
    console.warn(`"${event}" is not what the contract says: ${error.message}. Later ones are not reported.`);
  };
}
