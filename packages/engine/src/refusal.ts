import { STATUS_CODES } from "node:http";
import { ENGINE_ERROR_MESSAGES, EngineErrorCode } from "@plugboard/protocol";
import { plainAnswer, type HeaderFields, type HttpAnswer } from "./http-port.js";

/** Why a request is not let in: an entry of the error table and what is known about the case (spec/server.md 1.4). */
export interface Refusal {
  readonly error: keyof typeof EngineErrorCode;
  /** `message`, a text, is shown to the client. */
  readonly context: Record<string, unknown>;
  /** HTTP status where it is not the usual one. */
  readonly status?: number | undefined;
  /** Header fields of the answer, besides the usual ones. */
  readonly headers?: HeaderFields | undefined;
}

export function refusal(error: Refusal["error"], context: Record<string, unknown>, status?: number): Refusal {
  return status === undefined ? { error, context } : { error, context, status };
}

/**
 * What becomes of a request whose middleware failed. An error with a `status` or `statusCode` of 400 to 599, as those of
 * `http-errors` have it, chooses the status of the answer; its message is shown when `expose` says so, by default with 4xx.
 */
export function middlewareFailure(error: unknown): Refusal {
  const { status: own, statusCode, expose, message } = Object(error) as Record<string, unknown>;
  const status = own ?? statusCode;
  const context = { name: "MIDDLEWARE_FAILURE", error };
  if (typeof status !== "number" || !Number.isInteger(status) || status < 400 || status > 599) {
    return refusal("BAD_REQUEST", context);
  }
  const isShown = typeof expose === "boolean" ? expose : status < 500;
  return refusal("BAD_REQUEST", { ...context, message: isShown ? message : STATUS_CODES[status] }, status);
}

/** What the client reads: the text of the context where there is one, else that of the table. */
export function refusalText({ error, context }: Refusal): string {
  return typeof context["message"] === "string" && context["message"] !== ""
    ? context["message"]
    : ENGINE_ERROR_MESSAGES[EngineErrorCode[error]];
}

export function refusalAnswer(refused: Refusal): HttpAnswer {
  const body = JSON.stringify({ code: EngineErrorCode[refused.error], message: refusalText(refused) });
  return plainAnswer(
    refused.status ?? (refused.error === "FORBIDDEN" ? 403 : 400),
    { ...refused.headers, "Content-Type": "application/json" },
    body,
  );
}
