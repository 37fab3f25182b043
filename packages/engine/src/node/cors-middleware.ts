/* The one place that knows the `cors` package. */
import cors, { type CorsOptions, type CorsOptionsDelegate } from "cors";
import type { HttpRequestLike } from "../http-port.js";
import { runMiddlewareChain } from "../middleware-chain.js";
import type { EngineMiddleware } from "./engine-middleware.js";

/** Cross-origin rules in the words of the `cors` package: options, or a function that gives them for a request. */
export type CorsSettings = CorsOptions | CorsOptionsDelegate;

/** Answers preflights, and marks every answer with what its origin may see (spec/server.md 1.17). */
export function corsMiddleware(settings: CorsSettings): EngineMiddleware {
  return cors(settings) as EngineMiddleware;
}

/**
 * Whether a page of this origin could read an answer that it asked for with cookies: what a browser looks at are the
 * header fields of that answer, so these are made and looked at. They have to name the origin, which "*" does not, and to
 * allow credentials.
 */
export function corsAllowsCookies(
  settings: CorsSettings | undefined,
  request: HttpRequestLike,
  origin: string,
): Promise<boolean> {
  if (!settings) return Promise.resolve(false);
  const fields = new Map<string, unknown>();
  return new Promise((resolve, reject) => {
    const decide = (): void =>
      resolve(
        fields.get("access-control-allow-origin") === origin &&
          fields.get("access-control-allow-credentials") === "true",
      );
    const res = {
      getHeader: (name: string) => fields.get(name.toLowerCase()),
      setHeader: (name: string, value: unknown) => void fields.set(name.toLowerCase(), value),
      end: decide,
    };
    runMiddlewareChain([corsMiddleware(settings)], [requestForCors(request, origin), res], (error) => {
      if (error) reject(error as Error);
      else decide();
    });
  });
}

/** The request as the package reads it, and functions of the user with it. */
function requestForCors(request: HttpRequestLike, origin: string): unknown {
  const raw = request.raw as { headers?: { origin?: unknown } } | undefined;
  return raw?.headers?.origin === origin ? raw : { method: request.method, url: request.url, headers: { origin } };
}
