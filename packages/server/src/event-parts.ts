/* What is said of an event on its way from the client to its handler. */
import type { StandardSchema } from "@plugboard/contract";
import type { ListenerGuard } from "./listener-errors.js";

export type Callback = (...args: unknown[]) => unknown;

/** What steps and handlers are told of an event. */
export interface EventContext<SocketType = unknown> {
  readonly socket: SocketType;
  /** Name of the event. */
  readonly event: string;
  /** What came with it, without the acknowledgement. The handler gets the first; a step may change it. */
  readonly args: unknown[];
  /** Whether the client waits for an answer. */
  readonly wantsAck: boolean;
}

export type EventStep = ((context: EventContext) => unknown) | StandardSchema;
export type EventHandler = (payload: unknown, context: EventContext) => unknown;

/** Maps or logs what a handler threw; what it returns, unless undefined, is dealt with instead. */
export type ErrorHook = (error: unknown, context: EventContext) => unknown;

/** One registered handler, for however many sockets. */
export interface HandledEvent {
  /** Runs the steps and the handler for `[event, ...args, ack?]`; a promise while they are at work. */
  run(socket: EventSubject, event: readonly unknown[]): PromiseLike<unknown> | undefined;
}

/** What handlers of events need of the server. */
export interface EventHandling {
  /** Runs the listeners and callbacks of users. */
  readonly _guard: ListenerGuard;
  readonly _errorHooks: readonly ErrorHook[];
  /** 0: no limit. */
  readonly _handlerTimeoutMs: number;
}

/** What handlers of events need of the socket they are about. */
export interface EventSubject {
  readonly server: EventHandling;
  /** Handlers at work for it. */
  _runningHandlers: number;
  _onerror(error: unknown): void;
}
