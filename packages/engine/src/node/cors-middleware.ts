/* The one place that knows the `cors` package. */
import cors, { type CorsOptions, type CorsOptionsDelegate } from "cors";
import type { EngineMiddleware } from "./engine-middleware.js";

/** Cross-origin rules in the words of the `cors` package: options, or a function that gives them for a request. */
export type CorsSettings = CorsOptions | CorsOptionsDelegate;

/** Answers preflights, and marks every answer with what its origin may see (spec/server.md 1.17). */
export function corsMiddleware(settings: CorsSettings): EngineMiddleware {
  return cors(settings) as EngineMiddleware;
}
