import type { SocketSession } from "@plugboard/session";
import { expressError, type ExpressError } from "./express-error.js";

function noSession(): ExpressError {
  return expressError(
    "SIO_EXPRESS_NO_SESSION",
    "the handshake had no session: put the session middleware before io.middleware()",
  );
}

const fail = (): Promise<never> => Promise.reject(noSession());

/** `socket.session` where no session middleware has been seen: what it is asked for says what to change. */
export const NO_SESSION: SocketSession = Object.freeze({
  id: undefined,
  exists: false,
  data: Object.freeze({}),
  get draft(): never {
    throw noSession();
  },
  reload: fail,
  update: fail,
  touch: fail,
  destroy: fail,
  on: () => NO_SESSION,
  off: () => NO_SESSION,
}) as SocketSession;
