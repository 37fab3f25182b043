import type { ErrorAnswer, EventContext, Socket, StandardSchema } from "@plugboard/server";
import type { FastifyBaseLogger, FastifyRequest, FastifyTypeProvider } from "fastify";
import type { FromJsonSchema } from "./json-schema-types.js";

/** What this plugin adds to sockets. */
export interface SocketAdditions {
  /** Logger of the handshake's request, with `socketId` and `nsp`. Made when it is first used. */
  readonly log: FastifyBaseLogger;
}

/** A socket as hooks get it, whatever its events. */
// oxlint-disable-next-line typescript/no-explicit-any
export type HookSocket = Socket<any, any, any, any, FastifyRequest> & SocketAdditions;

/** What hooks and handlers are told of an event. Handlers know the events of the socket too: `SocketType` is a `FastifySocket`. */
export type HookContext<Config = unknown, SocketType = HookSocket> = EventContext<SocketType> & {
  /** What the event was registered with as `config`. */
  readonly config?: Config | undefined;
};

/** Hooks of events, by name. All may be asynchronous; a throw of the first three refuses or fails the event. */
export interface EventHooks {
  /** A socket has joined its namespace. A throw goes to `errorHandler` and the log; to refuse sockets, use `preConnect`. */
  onConnect: (socket: HookSocket) => unknown;
  /** Before an event is validated. May change `context.args`; throws to refuse. */
  preEvent: (context: HookContext) => unknown;
  /** A handler has given an answer, which is valid. */
  onAck: (context: HookContext, answer: unknown) => unknown;
  /** An event has failed: a hook, a schema or the handler. */
  onEventError: (error: unknown, context: HookContext) => unknown;
  /** A socket is gone. */
  onDisconnect: (socket: HookSocket, reason: string) => unknown;
}

export interface EventHookFront {
  /**
   * Adds a hook for the events and sockets of this scope, and of the scopes in it. `onConnect` and `onDisconnect` are about the
   * sockets of the namespace of the scope, and of namespaces declared in it.
   *
   * @throws PluginError with code `SIO_FASTIFY_TOO_LATE` when the application is ready
   */
  addHook<Name extends keyof EventHooks>(name: Name, hook: EventHooks[Name]): this;
}

/** What the validator of the application, or the schema itself, makes of a payload. */
export type Validated<Schema, TypeProvider extends FastifyTypeProvider> =
  Schema extends StandardSchema<infer _Input, infer Output>
    ? Output
    : unknown extends (TypeProvider & { schema: Schema })["validator"]
      ? FromJsonSchema<Schema>
      : (TypeProvider & { schema: Schema })["validator"];

/** What an event is said to be. */
export interface EventSchema<Payload, Ack> {
  /** Of the first argument: for the validator compiler of the scope (JSON Schema with `$ref`, by default), or a Standard Schema. */
  payload?: Payload;
  /** Of the answer, likewise. */
  ack?: Ack;
  /** For people who read the document of `fastify.asyncapi`. */
  description?: string;
}

/** What an event is registered with. */
export interface EventOptions<Payload, Ack, Config, SocketType = HookSocket> {
  schema?: EventSchema<Payload, Ack>;
  /** Run behind validation; they throw to refuse. */
  preHandler?:
    ((context: HookContext<Config, SocketType>) => unknown) | ((context: HookContext<Config, SocketType>) => unknown)[];
  /** Anything, for hooks to look at: `context.config`. */
  config?: Config;
}

/** What a handler may answer: what the schema accepts. */
type Answer<Ack, TypeProvider extends FastifyTypeProvider> = unknown extends Ack
  ? unknown
  : | Readable<Ack extends StandardSchema<infer Input, infer _Output> ? Input : Validated<Ack, TypeProvider>>
    | ErrorAnswer;

/**
 * The same, and arrays of it may be readonly: nothing writes to an answer, and lists that are written in a handler are readonly for
 * the compiler, for it takes the whole call literally (`const Ack`).
 */
type Readable<Value> = unknown extends Value
  ? Value
  : Value extends readonly unknown[] | Record<string, unknown>
    ? { readonly [Key in keyof Value]: Readable<Value[Key]> }
    : Value;

export interface EventRegistration<TypeProvider extends FastifyTypeProvider, SocketType> {
  /**
   * Adds the handler of an event. What it returns is the acknowledgement; a failure is answered with
   * `{ status: "error", code, message, data? }`, a payload that is not valid with `SIO_INVALID_PAYLOAD` and `data.issues`.
   * In order: hooks `preEvent`, schema, `preHandler`, handler, schema of the answer, hooks `onAck`.
   *
   * Schemas are compiled when the application becomes ready, so that they may refer to what is added until then.
   *
   * @throws EventError with code `SIO_DUPLICATE_HANDLER`; `ready()` rejects with PluginError with code
   * `SIO_FASTIFY_INVALID_SCHEMA` when a schema does not compile, and when the application is ready already this throws it
   */
  event<const Payload = unknown, const Ack = unknown, Config = unknown>(
    name: string,
    options: EventOptions<Payload, Ack, Config, SocketType>,
    handler: (
      payload: Validated<Payload, TypeProvider>,
      context: HookContext<Config, SocketType>,
    ) => Answer<Ack, TypeProvider> | PromiseLike<Answer<Ack, TypeProvider>>,
  ): this;
  // oxlint-disable-next-line typescript/no-explicit-any
  event(name: string, handler: (payload: any, context: HookContext<unknown, SocketType>) => unknown): this;
}
