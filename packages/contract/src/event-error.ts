/** What stands in an acknowledgement in place of an answer: the one shape of every failure. */
export interface ErrorAnswer {
  readonly status: "error";
  /** For programs, such as `SIO_INVALID_PAYLOAD`. Codes that begin with `SIO_` are ours. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** More about it; what it is depends on the code. */
  readonly data?: unknown;
}

/**
 * An error whose text the other end may read: thrown by a handler it becomes an {@link ErrorAnswer}. It is known by its
 * `name` and `code`, never by its class, of which a program may have loaded two copies.
 */
export class EventError extends Error {
  override readonly name: string = "EventError";
  readonly code: string;
  readonly data: unknown;

  /**
   * @param code - for programs; those that begin with `SIO_` are ours
   * @param message - for people
   * @param data - anything that the parser can carry; left out of the answer when `undefined`
   * @param options - `cause` is for logs here, it is never sent
   */
  constructor(code: string, message: string, data?: unknown, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.data = data;
  }
}

/** Whether an error is meant to be read by the other end, whichever copy of this package made it. */
export function isEventError(value: unknown): value is EventError {
  return isCodedMessage(value) && value.name === "EventError";
}

/** Whether an acknowledgement tells of a failure. */
export function isErrorAnswer(value: unknown): value is ErrorAnswer {
  return isCodedMessage(value) && value.status === "error";
}

function isCodedMessage(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === "string" && typeof message === "string";
}

/**
 * What the other end gets to know of an error: code, message and data of an {@link EventError}, or of what is
 * an answer already. Of any other error nothing:
 * `{ status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" }`.
 */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (!isEventError(error) && !isErrorAnswer(error)) {
    return { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };
  }
  const { code, message, data } = error;
  return data === undefined ? { status: "error", code, message } : { status: "error", code, message, data };
}
