import type { IncomingMessage, ServerResponse } from "node:http";

/** Express-style middleware of the engine: runs for every HTTP request and upgrade of its path (spec/server.md 1.5). */
export type EngineMiddleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>;

/**
 * Runs the middlewares one after the other. One that never calls `next` keeps the request.
 *
 * @param done - called once: with an error when one was passed to `next`, thrown, or rejected
 */
export function runMiddlewares(
  middlewares: readonly EngineMiddleware[],
  req: IncomingMessage,
  res: ServerResponse,
  done: (error?: unknown) => void,
): void {
  const run = (index: number): void => {
    const middleware = middlewares[index];
    if (middleware === undefined) return done();
    let isCalled = false;
    const next = (error?: unknown): void => {
      if (isCalled) return;
      isCalled = true;
      if (error) done(error);
      else run(index + 1);
    };
    const fail = (error: unknown): void => next(error ?? new Error("middleware failed"));
    try {
      middleware(req, res, next)?.then?.(undefined, fail);
    } catch (error) {
      fail(error);
    }
  };
  run(0);
}
