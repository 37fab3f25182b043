import type { AnyServer, AnySocket } from "./any-socket.js";

/** Tells whoever hears of failing listeners that a limiter has failed; nobody else would. */
export function reportFailure(server: AnyServer, socket: AnySocket | undefined, error: unknown): void {
  const print = (fault: unknown): void => console.error("[plugboard] a rate limiter failed:", fault);
  const { onListenerError } = server;
  if (onListenerError === undefined) return print(error);
  try {
    onListenerError({ socket, event: "rate-limit", args: [], ack: undefined, error });
  } catch (handlerError) {
    print(error);
    print(handlerError);
  }
}
