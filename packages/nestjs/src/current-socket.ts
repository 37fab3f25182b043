import { AsyncLocalStorage } from "node:async_hooks";
import { Inject, type Provider } from "@nestjs/common";
import type { Socket } from "@plugboard/server";

const sockets = new AsyncLocalStorage<Socket>();

/** Whether somebody wants it: who does not pays nothing. */
let isWanted = false;

/** Has it known from now on which socket is at work. */
export function trackSockets(): void {
  isWanted = true;
}

/** Runs something that is done for a socket. */
export function inSocketContext<T>(socket: Socket, run: () => T): T {
  return isWanted ? sockets.run(socket, run) : run();
}

/** Of the provider of the socket that something is done for. */
export const CURRENT_SOCKET: unique symbol = Symbol("the socket: import SocketIoModule.forRoot()");

/**
 * Injects the socket on whose behalf the code runs, into providers of any scope: whatever is read of it is that of the socket whose
 * event, connection, disconnection, guard or middleware is at work. Elsewhere, reading it throws an Error.
 */
export function InjectSocket(): ParameterDecorator & PropertyDecorator {
  trackSockets();
  return Inject(CURRENT_SOCKET) as ParameterDecorator & PropertyDecorator;
}

/** @throws Error where none is at work */
export function currentSocket(): Socket {
  const socket = sockets.getStore();
  if (socket !== undefined) return socket;
  throw new Error("no socket is at work here: what @InjectSocket() gives is for what is called by gateways");
}

/** Nest asks whether what it injects is a promise or has hooks, and other tools look at what every object has. */
function isProbe(key: string | symbol): boolean {
  return typeof key === "symbol" || key in Object.prototype || /^(on|before)[A-Z]|^(then|toJSON)$/.test(key);
}

/** Stands for another socket with each event. */
export const currentSocketProvider: Provider = {
  provide: CURRENT_SOCKET,
  useFactory: () =>
    new Proxy({} as Socket, {
      get(target, key) {
        if (isProbe(key) && sockets.getStore() === undefined) return Reflect.get(target, key);
        const socket = currentSocket();
        const value: unknown = Reflect.get(socket, key);
        // Its methods know the socket alone.
        return typeof value === "function" ? (value.bind(socket) as unknown) : value;
      },
      set: (_target, key, value) => Reflect.set(currentSocket(), key, value),
      has: (_target, key) => Reflect.has(currentSocket(), key),
    }),
};
