import { createParamDecorator, UseGuards, type ExecutionContext } from "@nestjs/common";
import type { Namespace, Socket } from "@plugboard/server";
import { eventCallIn, type Ack as AckFunction } from "./event-call.js";
import { CONNECTION_GUARDS, SOCKET_MIDDLEWARE, type SocketMiddlewareClass } from "./gateways.js";
import { invalidOption } from "./nestjs-error.js";
import { namespaceParams } from "./namespaces.js";
import { platformRequest } from "./platform-front.js";

/** What the guards of Nest are given as. */
type Guards = Parameters<typeof UseGuards>;

/**
 * Guards of a gateway that are asked once, before a socket joins: one that says no refuses it by `connect_error`. They see an
 * event with pattern `$connect` and no payload. Made by Nest, as those of `@UseGuards` are.
 *
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` without guards
 */
export function UseConnectionGuards(...guards: Guards): ClassDecorator {
  if (guards.length === 0) throw invalidOption("@UseConnectionGuards without guards lets everybody in");
  return onMethod(CONNECTION_GUARDS, guards);
}

/**
 * Middlewares of a gateway's namespace, made by Nest: classes with `use(socket, next)`. They run before the guards.
 *
 * @param middlewares - classes, or instances
 * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for what is neither, such as the functions of `server.use`
 */
export function SocketMiddleware(
  ...middlewares: ((new (...args: never[]) => SocketMiddlewareClass) | SocketMiddlewareClass)[]
): ClassDecorator {
  for (const each of middlewares) {
    // An arrow function has no prototype.
    const holder: unknown = typeof each === "function" ? each.prototype : each;
    if (typeof holder === "object" && holder !== null) continue;
    throw invalidOption("@SocketMiddleware takes classes with a method use(socket, next)");
  }
  const all = middlewares.map((each) => (typeof each === "function" ? each : asGuard(each)));
  return onMethod(SOCKET_MIDDLEWARE, all as unknown as Guards);
}

/** Nest makes what it takes for guards of a method, and finds the methods by their names. */
function onMethod(name: string, guards: Guards): ClassDecorator {
  return ({ prototype }) => {
    const descriptor: PropertyDescriptor = { value: () => {}, configurable: true, writable: true, enumerable: false };
    Object.defineProperty(prototype, name, descriptor);
    (UseGuards(...guards) as MethodDecorator)(prototype as object, name, descriptor);
  };
}

function asGuard(middleware: SocketMiddlewareClass): SocketMiddlewareClass {
  return Object.assign(Object.create(middleware) as SocketMiddlewareClass, { canActivate: () => true });
}

type ParamDecoratorFactory<T> = (data?: T) => ParameterDecorator;

function paramOf<T>(extract: (data: T | undefined, context: ExecutionContext) => unknown): ParamDecoratorFactory<T> {
  return createParamDecorator((data: T | undefined, context: ExecutionContext) =>
    extract(data, context),
  ) as ParamDecoratorFactory<T>;
}

function socketOf(context: ExecutionContext): Socket {
  return context.switchToWs().getClient();
}

function pick(from: unknown, member: string | undefined): unknown {
  if (member === undefined || from === undefined || from === null) return from;
  return (from as Record<string, unknown>)[member];
}

/** An argument of the event, counted from 0. `@MessageBody()` is the first, or an array if there are several. */
export const MessageArg: (index: number) => ParameterDecorator = paramOf<number>(
  (index = 0, context) => eventCallIn(context.getArgs())?.args[index],
);

/** Name of the event, for handlers of patterns. */
export const WsEventName: () => ParameterDecorator = paramOf<never>(
  (_, context) => eventCallIn(context.getArgs())?.event,
);

/** The acknowledgement, to be called by the handler; undefined where the client does not wait for one. Works on Nest 10 too. */
export const Ack: () => ParameterDecorator = paramOf<never>((_, context): AckFunction | undefined => {
  const call = eventCallIn(context.getArgs());
  if (call !== undefined) call.isAckTaken = true;
  return call?.reply;
});

/**
 * Who the client is: `socket.data.user`, else the user of the handshake's request (as `passport` leaves it), else the
 * credentials of `@plugboard/auth`. With a name, that member.
 */
export const WsUser: ParamDecoratorFactory<string> = paramOf<string>((member, context) => {
  const socket = socketOf(context) as Socket & { credentials?: unknown };
  const { user } = (socket.data ?? {}) as { user?: unknown };
  const fromRequest = (platformRequest(socket.request) as { user?: unknown }).user;
  return pick(user ?? fromRequest ?? socket.credentials, member);
});

/**
 * The session: `socket.session` of `@plugboard/session`, or what the handshake's request has where sockets do not share sessions.
 * With a name, that member of its data, as it was last known.
 */
export const WsSession: ParamDecoratorFactory<string> = paramOf<string>((member, context) => {
  const { session, request } = socketOf(context) as Partial<Pick<Socket, "session">> & Pick<Socket, "request">;
  if (session !== undefined) return member === undefined ? session : pick(session.data, member);
  return pick((platformRequest(request) as { session?: unknown }).session, member);
});

/** What a part of the name of a dynamic namespace stands for; without a name, all parts. */
export const WsParam: ParamDecoratorFactory<string> = paramOf<string>((name, context) => {
  const { nsp } = socketOf(context) as { nsp: Namespace };
  return pick(namespaceParams(nsp.name), name);
});

/** `socket.data`, or a member of it. */
export const WsData: ParamDecoratorFactory<string> = paramOf<string>((member, context) =>
  pick(socketOf(context).data, member),
);

/**
 * The room whose name begins with this, of those the socket has joined: `@WsRoom("table:") table` is what `server.to(table)` takes.
 * Without it, the first room that the socket has joined. Undefined when there is none.
 */
export const WsRoom: ParamDecoratorFactory<string> = paramOf<string>((prefix = "", context) => {
  const { id, rooms } = socketOf(context);
  return [...rooms].find((room) => room !== id && room.startsWith(prefix));
});
