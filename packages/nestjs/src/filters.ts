import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from "@nestjs/common";
import type { Socket } from "@plugboard/server";
import { Connection } from "./connection.js";
import { eventCallIn, type EventCall } from "./event-call.js";

/** For errors outside of events: where a filter returns nothing, Nest takes it that no filter wants them. */
const IS_HANDLED = true;

/** Stands behind all filters of a gateway: tells the client of errors that none of them wants. */
export class LastFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): true {
    const call = eventCallIn(host.getArgs());
    // Without one an instance for this socket could not be made.
    const connection = Connection.of(host.getArgs<unknown[]>()[0]);
    if (call !== undefined) call.fail(error);
    else if (connection?.socket.connected === true) connection.refuse(error);
    else new Logger("SocketIo").error(error instanceof Error ? error.stack : error);
    return IS_HANDLED;
  }
}
Catch()(LastFilter);

/** Filters that are told apart from others: those we have put something around. */
const watched = new WeakSet<object>();

/**
 * Puts something around a filter of the user, which knows nothing of acknowledgements: what it emits as `exception` becomes the
 * answer, and one that says nothing does not leave the client waiting.
 *
 * @param filter - a class, or an instance
 */
export function watchFilter(filter: unknown): void {
  const holder = (typeof filter === "function" ? (filter.prototype as unknown) : filter) as ExceptionFilter | undefined;
  if (typeof holder !== "object" || holder === null || typeof holder.catch !== "function") return;
  if (watched.has(holder) || holder instanceof LastFilter) return;
  watched.add(holder);
  const original = holder.catch;
  const value = function (this: ExceptionFilter, error: unknown, host: ArgumentsHost): unknown {
    const call = host.getType<string>() === "ws" ? eventCallIn(host.getArgs()) : undefined;
    const run = (): unknown => original.call(this, error, host);
    return call === undefined ? run() : runAnswering(call, error, run);
  };
  Object.defineProperty(holder, "catch", { value, configurable: true, writable: true });
}

function runAnswering(call: EventCall, error: unknown, run: () => unknown): unknown {
  const result = call.ack === undefined ? contained(call, run) : exceptionsAsAnswer(call, () => contained(call, run));
  if (typeof (result as Partial<PromiseLike<unknown>> | undefined)?.then !== "function") {
    call.fail(error, true);
    return IS_HANDLED;
  }
  // Nest does not wait for it, and the event would be answered with nothing meanwhile.
  call.isAckTaken = true;
  const settled = (): void => {
    call.fail(error, true);
    call.ack?.();
  };
  return (result as PromiseLike<unknown>).then(settled, (fault: unknown) => {
    new Logger("SocketIo").error(fault instanceof Error ? fault.stack : fault);
    settled();
  });
}

/** A filter that throws would make an unhandled rejection of the event. */
function contained(call: EventCall, run: () => unknown): unknown {
  try {
    return run();
  } catch (fault) {
    new Logger("SocketIo").error(fault instanceof Error ? fault.stack : fault);
    call.fail(fault);
    return undefined;
  }
}

function exceptionsAsAnswer({ socket, ack }: EventCall, run: () => unknown): unknown {
  const emit = socket.emit;
  const own = Object.getOwnPropertyDescriptor(socket, "emit");
  (socket as { emit: unknown }).emit = (event: string, ...args: unknown[]): boolean => {
    if (event !== "exception") return Reflect.apply(emit as (...all: unknown[]) => boolean, socket, [event, ...args]);
    ack?.(...args);
    return true;
  };
  try {
    return run();
  } finally {
    if (own === undefined) delete (socket as Partial<Socket>).emit;
    else Object.defineProperty(socket, "emit", own);
  }
}
