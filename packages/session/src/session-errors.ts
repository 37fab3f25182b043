import { EventError } from "@plugboard/server";

/** The session is not in the store (any more), or the socket never had one. */
export const gone = (): EventError => new EventError("SIO_SESSION_GONE", "There is no such session");

/** Too many wait for their turn with this session. `status` is what HTTP frameworks answer with. */
export const busy = (): EventError =>
  Object.assign(new EventError("SIO_SESSION_BUSY", "Too many changes of this session are waiting"), { status: 503 });

/** A turn took too long; what it would have written is not written. */
export const tooSlow = (): EventError =>
  new EventError("SIO_SESSION_TIMEOUT", "The change of the session took too long and was given up");

/** The sessions are kept in a cookie, or the store has no way to write. */
export const readOnly = (): EventError =>
  new EventError(
    "SIO_SESSION_READ_ONLY",
    "This session cannot be changed from a socket: it is kept in a cookie, and cookies are set by HTTP responses alone",
  );

/** `draft` was looked at outside of a turn. */
export const noTurn = (): EventError =>
  new EventError(
    "SIO_SESSION_NO_TURN",
    "A draft of the session exists within update() and, with mode per-event, in handlers",
  );
