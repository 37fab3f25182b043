import { ServerResponse, type IncomingMessage } from "node:http";
import type { Request, RequestHandler, Response } from "express";

/** Errors by which a gate has refused, for the middlewares of namespaces to say so. */
export type Refusals = WeakMap<IncomingMessage, Error>;

/**
 * A gate whose refusals clients hear as `connect_error`: whether it answers or calls `next(error)`, the request goes on, and
 * the refusal is kept.
 */
export function keepingRefusals(gate: RequestHandler, refusals: Refusals): RequestHandler {
  return (req, res, next) => {
    const answer = unsentResponse(req, res);
    const end = (body: unknown): void => {
      const { statusCode: status } = answer;
      const text = typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body).toString() : "";
      const type = String(answer.getHeader("content-type") ?? "");
      refusals.set(req, refusalOf(status, text, type));
      next();
    };
    answer.end = ((...args: unknown[]) => {
      end(args[0]);
      return answer;
    }) as Response["end"];
    const goOn = (error?: unknown): void => {
      if (error) refusals.set(req, error instanceof Error ? error : new Error(String(error)));
      else res.setHeaders(new Map(Object.entries(answer.getHeaders()) as [string, string][]));
      next();
    };
    // Express 4 does not look at what a middleware returns.
    void (async () => gate(req, answer, goOn))().catch(goOn);
  };
}

function refusalOf(status: number, body: string, type: string): Error {
  const data = type.includes("json") ? parsed(body) : undefined;
  if (data === undefined) return Object.assign(new Error(body || "refused"), { status });
  const { message = "refused" } = (data ?? {}) as { message?: unknown };
  return Object.assign(new Error(String(message)), { status, data });
}

/** @returns undefined for what is no JSON, whatever its type says */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** A response of Express that goes nowhere, with the header fields of one that may. */
function unsentResponse(req: Request, res: Response): Response {
  const answer = new ServerResponse(req);
  Object.setPrototypeOf(answer, Object.getPrototypeOf(res) as object);
  answer.setHeaders(new Map(Object.entries(res.getHeaders()) as [string, string][]));
  return Object.assign(answer, { req, locals: res.locals }) as unknown as Response;
}
