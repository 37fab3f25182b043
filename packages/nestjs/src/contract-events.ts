import { Logger, UseInterceptors, type CallHandler, type ExecutionContext, type NestInterceptor } from "@nestjs/common";
import { SubscribeMessage } from "@nestjs/websockets";
import {
  EventError,
  isErrorAnswer,
  parse,
  type AckInputOf,
  type AnsweredEventsOf,
  type Contract,
  type ErrorAnswer,
  type EventDefinition,
  type EventsOf,
  type PayloadOf,
} from "@plugboard/contract";
import type { Observable } from "rxjs";
import { isThenable } from "./thenable.js";
import { invalidOption, nestjsError } from "./nestjs-error.js";
import { eventCallIn, type Ack, type EventCall } from "./event-call.js";

type Handler = (...args: never[]) => unknown;

/** What a handler may return for an answer: it, or an event that carries it. */
type Reply<Answer> = Answer | ErrorAnswer | { event: string; data: Answer };

/** Whether a parameter takes the payload, or a member of it, as `@MessageBody("name")` gives. */
type Takes<Parameter, Payload> = [Payload] extends [Parameter]
  ? true
  : Payload extends object
    ? { [Key in keyof Payload]: [Payload[Key]] extends [Parameter] ? true : never }[keyof Payload]
    : never;

/** Whether one of the parameters does. Of an event without payload none has to, and who has no parameters does without. */
type SomeTakes<Parameters extends readonly unknown[], Payload> = Parameters extends readonly []
  ? true
  : [Payload] extends [undefined]
    ? true
    : true extends { [Index in keyof Parameters]: Takes<Parameters[Index], Payload> }[number]
      ? true
      : false;

/** Whether a handler takes the acknowledgement, to answer by itself. */
type TakesAck<Parameters extends readonly unknown[]> = true extends {
  [Index in keyof Parameters]: unknown extends Parameters[Index]
    ? false
    : Parameters[Index] extends (...args: never[]) => unknown
      ? true
      : false;
}[number]
  ? true
  : false;

type Answers<Method extends Handler, Answer> =
  TakesAck<Parameters<Method>> extends true
    ? true
    : [ReturnType<Method>] extends [Reply<Answer> | PromiseLike<Reply<Answer>> | Observable<Reply<Answer>>]
      ? true
      : false;

/** What is wrong with a method, as the name of a member that it would have to have; nothing: `unknown`. */
type Fault<Method extends Handler, C extends Contract, Event extends EventsOf<C, "client">> =
  SomeTakes<Required<Parameters<Method>>, PayloadOf<C, "client", Event>> extends false
    ? { "no parameter takes the payload of the event": PayloadOf<C, "client", Event> }
    : Event extends AnsweredEventsOf<C, "client">
      ? Answers<Method, AckInputOf<C, "client", Event>> extends false
        ? { "the method does not return the answer to the event": AckInputOf<C, "client", Event> }
        : unknown
      : unknown;

/** Decorates a method that fits an event: a parameter takes its payload, and the return value is its answer. */
export type WsEventDecorator<C extends Contract, Event extends EventsOf<C, "client">> = <Method extends Handler>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & Fault<Method, C, Event>,
) => void;

/** An event of a contract, as a method handles it. */
export interface HandledEvent {
  readonly contract: Contract;
  readonly event: string;
}

const handledEvents = new WeakMap<object, HandledEvent>();

/** What `@WsEvent` has said of a method. */
export function handledEventOf(method: object): HandledEvent | undefined {
  return handledEvents.get(method);
}

/**
 * Handles an event of a contract, as `@SubscribeMessage` does: behind the guards, the payload is validated and replaced by what its
 * schema makes of it; so is the answer. A client whose payload is refused reads `SIO_INVALID_PAYLOAD` with `data.issues`. An
 * answer that is not valid is logged, and the client reads `SIO_INVALID_ACK`. An `ErrorAnswer` is an answer to every event.
 *
 * The compiler wants the method to have a parameter that takes the payload, or a member of it (or no parameters), and to return
 * the answer, unless it takes the acknowledgement.
 *
 * ```ts
 * @WsEvent(contract, "room:join")
 * join(@MessageBody() { room }: PayloadOf<typeof contract, "client", "room:join">) {
 *   return { members: 3 };
 * }
 * ```
 *
 * @param contract - made by `defineEvents` of `@plugboard/contract`
 * @param event - one that clients send
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for an event that the contract does not have
 */
export function WsEvent<C extends Contract, Event extends EventsOf<C, "client">>(
  contract: C,
  event: Event,
): WsEventDecorator<C, Event> {
  const definition = contract.client[event];
  if (definition === undefined) throw invalidOption(`no client sends "${event}", says the contract`);
  return (target, name, descriptor) => {
    (SubscribeMessage(event) as MethodDecorator)(target, name, descriptor);
    UseInterceptors(new ContractInterceptor(definition))(target, name, descriptor);
    handledEvents.set(descriptor.value as object, { contract, event });
  };
}

/** Runs behind the guards and before pipes and parameters, which find in call and arguments what it leaves there. */
class ContractInterceptor implements NestInterceptor {
  readonly #definition: EventDefinition;

  constructor(definition: EventDefinition) {
    this.#definition = definition;
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const args = context.getArgs<unknown[]>();
    const call = eventCallIn(args);
    if (call === undefined)
      throw nestjsError("SIO_NESTJS_NO_ADAPTER", "@WsEvent needs the SocketIoAdapter of @plugboard/nestjs");
    const { payload, ack } = this.#definition;
    if (call.args.length > (payload === undefined ? 0 : 1)) {
      throw new EventError("SIO_INVALID_PAYLOAD", "Invalid payload: too many arguments");
    }
    if (payload !== undefined) call.args = [await parse(payload, call.args[0])];
    args[1] = call.payload;
    if (ack !== undefined && call.ack !== undefined) args[2] = call.reply = checkedReply(ack, call, call.ack);
    return next.handle();
  }
}

function checkedReply(schema: NonNullable<EventDefinition["ack"]>, call: EventCall, ack: Ack): Ack {
  const fail = (error: unknown): void => {
    new Logger("SocketIo").error(`"${call.event}": ${(error as Error).message}`, (error as Error).stack);
    // What is wrong with it is not the client's affair.
    call.fail(new EventError("SIO_INVALID_ACK", "The answer is not valid"));
  };
  // JSON would make `null` of `undefined`.
  const send = (output: unknown): void => (output === undefined ? ack() : ack(output));
  return (answer) => {
    if (isErrorAnswer(answer)) return ack(answer);
    try {
      const output: unknown = parse(schema, answer, "SIO_INVALID_ACK");
      if (isThenable(output)) void Promise.resolve(output).then(send).catch(fail);
      else send(output);
    } catch (error) {
      fail(error);
    }
  };
}
