import type { ErrorAnswer } from "@plugboard/server";

/** What an HTTP exception of Nest has; known by its methods, for there may be several copies of its class. */
interface HttpExceptionLike extends Error {
  getStatus(): number;
  getResponse(): unknown;
}

interface WsExceptionLike extends Error {
  getError(): unknown;
}

const CODES: Readonly<Record<number, string>> = {
  400: "SIO_INVALID_PAYLOAD",
  401: "SIO_UNAUTHORIZED",
  403: "SIO_FORBIDDEN",
  404: "SIO_NOT_FOUND",
  422: "SIO_INVALID_PAYLOAD",
  429: "SIO_RATE_LIMITED",
};

/** What Nest says when a guard has said no. */
export const FORBIDDEN_MESSAGE = "Forbidden resource";

/** What clients read of an error of which they are to know nothing. */
export const INTERNAL: ErrorAnswer = { status: "error", code: "SIO_INTERNAL_ERROR", message: "Internal server error" };

/** What an error says to clients, and whether it says anything: one that does not has to be logged. */
export interface DescribedError {
  readonly answer: ErrorAnswer;
  readonly isInternal: boolean;
}

/**
 * The one shape in which clients read errors: `{ status: "error", code, message, data? }`. An object given to a `WsException`
 * keeps its own members too.
 *
 * @param mapHttpExceptions - whether an `HttpException` says anything to clients
 */
export function describeError(error: unknown, mapHttpExceptions: boolean): DescribedError {
  try {
    const described = eventErrorAnswer(error) ?? wsAnswer(error) ?? (mapHttpExceptions ? httpAnswer(error) : undefined);
    if (described !== undefined) return { answer: described, isInternal: false };
  } catch {
    // Its members throw when they are read. At connect that would be a rejection that nobody handles.
  }
  return { answer: INTERNAL, isInternal: true };
}

function eventErrorAnswer(error: unknown): ErrorAnswer | undefined {
  const { name, code, message, data } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    message?: unknown;
    data?: unknown;
  };
  if (name !== "EventError" || typeof code !== "string") return undefined;
  return { status: "error", code, message: String(message), ...(data !== undefined && { data }) } as ErrorAnswer;
}

function wsAnswer(error: unknown): ErrorAnswer | undefined {
  if (typeof (error as Partial<WsExceptionLike> | undefined)?.getError !== "function") return undefined;
  const { message } = error as WsExceptionLike;
  const given = (error as WsExceptionLike).getError();
  const code = message === FORBIDDEN_MESSAGE ? "SIO_FORBIDDEN" : "SIO_EVENT_ERROR";
  // What class-validator has found, as pipes are told to throw it.
  if (Array.isArray(given)) {
    const isText = given.length > 0 && given.every((each) => typeof each === "string");
    return { status: "error", code, message: isText ? given.join("; ") : message, data: given };
  }
  const members = typeof given === "object" && given !== null ? given : { message: String(given) };
  return { status: "error", code, message, ...members } as ErrorAnswer;
}

function httpAnswer(error: unknown): ErrorAnswer | undefined {
  const body = httpBody(error);
  if (body === undefined) return undefined;
  const { statusCode, message } = body;
  const code = CODES[statusCode] ?? `SIO_HTTP_${statusCode}`;
  return { status: "error", code, message: [message].flat().join("; "), data: body } as ErrorAnswer;
}

/** What an HTTP client would read of an error; undefined for one that is no `HttpException`. */
export function httpBody(error: unknown): { statusCode: number; message: unknown } | undefined {
  const exception = error as Partial<HttpExceptionLike> | undefined;
  if (typeof exception?.getStatus !== "function" || typeof exception.getResponse !== "function") return undefined;
  const statusCode = exception.getStatus();
  const response: unknown = exception.getResponse();
  if (typeof response === "object" && response !== null) return { statusCode, message: exception.message, ...response };
  return { statusCode, message: response };
}
