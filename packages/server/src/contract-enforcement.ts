/*
 * What a namespace with a contract lets through: events of clients and their acknowledgements, and those of the server.
 * The server is the authority: what it receives and what it sends is what the schemas make of it, so that members which a
 * schema does not know stay here.
 */
import {
  errorAnswer,
  EventError,
  isErrorAnswer,
  parse,
  type Contract,
  type EventDefinition,
} from "@plugboard/contract";
import type { Callback, EventSubject } from "./event-parts.js";
import { isThenable } from "./thenable.js";

/** A socket of a namespace with a contract. */
interface Receiver extends EventSubject {
  readonly connected: boolean;
  /** Whether there is a handler for it. */
  _handles(event: unknown): boolean;
  _hear(event: unknown[]): void;
  _refuseEvent(event: readonly unknown[], error: unknown): void;
}

/** Delivers an event of a client if the contract has it and the payload is valid; else it is refused. */
export function admitEvent(contract: Contract, socket: Receiver, event: unknown[]): void {
  const definition = contract.client[event[0] as string];
  if (definition === undefined) {
    // Handlers that the contract does not know are not of the program, but of packages such as ours.
    if (socket._handles(event[0])) socket._hear(event);
    else socket._refuseEvent(event, unknownEvent(event[0]));
    return;
  }
  const { payload } = definition;
  const last = event.at(-1);
  const ack = event.length > 1 && typeof last === "function" ? (event.pop() as Callback) : undefined;
  const deliver = (output?: unknown): void => {
    const args = payload === undefined ? [] : [output];
    socket._hear(
      ack === undefined ? [event[0], ...args] : [event[0], ...args, checkedAnswer(definition, socket, event, ack)],
    );
  };
  const refuse = (error: unknown): void => socket._refuseEvent(ack === undefined ? event : [...event, ack], error);
  if (event.length > (payload === undefined ? 1 : 2)) {
    return refuse(new EventError("SIO_INVALID_PAYLOAD", "Invalid payload: too many arguments"));
  }
  if (payload === undefined) return deliver();
  let output: unknown;
  try {
    output = parse(payload, event[1]);
  } catch (error) {
    return refuse(error);
  }
  if (!isThenable(output)) return deliver(output);
  const settled = output.then((value) => {
    if (socket.connected) deliver(value);
  }, refuse);
  socket.server._guard.watch(settled, event, socket);
}

/** The acknowledgement of a client's event: what listeners answer is validated. */
function checkedAnswer({ ack: schema }: EventDefinition, socket: Receiver, event: unknown[], ack: Callback): Callback {
  if (schema === undefined) return ack;
  const fail = (error: unknown): void => {
    socket.server._guard.tell({ socket, event: event[0] as string, args: event.slice(1, -1), ack: undefined, error });
    // What is wrong with it is not the client's affair.
    ack(errorAnswer(new EventError("SIO_INVALID_ACK", "The answer is not valid")));
  };
  return (answer) => {
    if (isErrorAnswer(answer)) return ack(answer);
    let output: unknown;
    try {
      output = parse(schema, answer, "SIO_INVALID_ACK");
    } catch (error) {
      return fail(error);
    }
    if (!isThenable(output)) return ack(...unlessUndefined(output));
    // The last one is for an answer that cannot be sent.
    const settled = output.then((value) => ack(...unlessUndefined(value))).then(undefined, fail);
    socket.server._guard.watch(settled, event, socket);
    return undefined;
  };
}

/** JSON would make `null` of `undefined`, which schemas that allow the one seldom take for the other. */
function unlessUndefined(value: unknown): unknown[] {
  return value === undefined ? [] : [value];
}

/** How the acknowledgements of an event are handed over. */
export interface AckForm {
  /** `(error, answers)` instead of `(answer)`. */
  readonly errorFirst: boolean;
  /** A list, one answer per client. */
  readonly list: boolean;
}

/**
 * Checks an event that the server sends, `[event, ...args, ack?]`, and puts in what the schemas make of it.
 *
 * @throws EventError with code `SIO_UNKNOWN_EVENT`, `SIO_INVALID_PAYLOAD`, or `SIO_ASYNC_SCHEMA`, for an emit cannot wait
 */
export function checkOutgoing(contract: Contract, data: unknown[], form: AckForm): void {
  const definition = contract.server[data[0] as string];
  if (definition === undefined) throw unknownEvent(data[0]);
  const hasAck = data.length > 1 && typeof data.at(-1) === "function";
  const count = data.length - (hasAck ? 2 : 1);
  const { payload, ack: schema } = definition;
  if (count > (payload === undefined ? 0 : 1)) {
    throw new EventError("SIO_INVALID_PAYLOAD", `Invalid payload: "${String(data[0])}" has too many arguments`);
  }
  if (payload !== undefined) {
    const output = parseNow(payload, count === 0 ? undefined : data[1], "SIO_INVALID_PAYLOAD");
    data.splice(1, count, ...unlessUndefined(output));
  }
  if (hasAck && schema !== undefined) data[data.length - 1] = checkedAck(schema, data.at(-1) as Callback, form);
}

type Schema = NonNullable<EventDefinition["ack"]>;

/** What clients answer is theirs to say: an answer that is not valid reaches the server as a failure. */
function checkedAck(schema: Schema, ack: Callback, { errorFirst, list }: AckForm): Callback {
  const check = (answer: unknown): unknown => {
    if (isErrorAnswer(answer)) return answer;
    try {
      return parseNow(schema, answer, "SIO_INVALID_ACK");
    } catch (error) {
      return errorAnswer(error);
    }
  };
  const checkAll = (answers: unknown): unknown =>
    list && Array.isArray(answers) ? answers.map(check) : answers === undefined && list ? answers : check(answers);
  if (!errorFirst) return (answer) => ack(checkAll(answer));
  return (error, answers) => (error && !list ? ack(error) : ack(error, checkAll(answers)));
}

function parseNow(schema: Schema, value: unknown, code: "SIO_INVALID_PAYLOAD" | "SIO_INVALID_ACK"): unknown {
  const output: unknown = parse(schema, value, code);
  if (!isThenable(output)) return output;
  output.then(undefined, () => {});
  throw new EventError("SIO_ASYNC_SCHEMA", "What the server sends cannot be validated asynchronously");
}

function unknownEvent(event: unknown): EventError {
  const name = String(event).slice(0, 100);
  return new EventError("SIO_UNKNOWN_EVENT", `Unknown event "${name}"`);
}
