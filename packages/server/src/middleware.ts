import type { Next } from "./parts.js";
import { isThenable } from "./thenable.js";

type Middleware<Subject> = (subject: Subject, next: Next) => unknown;

/**
 * Runs middlewares one after the other, as they are now: what is added meanwhile waits for the next run. An error given
 * to `next`, thrown or rejected with ends the run. A second `next` of one middleware is ignored, so `done` is called at
 * most once; never, if a middleware never calls `next`.
 */
export function runMiddlewares<Subject>(
  middlewares: readonly Middleware<Subject>[],
  subject: Subject,
  done: Next,
): void {
  if (middlewares.length === 0) return done();
  const snapshot = middlewares.slice();
  runFrom(snapshot, 0, subject, done);
}

function runFrom<Subject>(middlewares: readonly Middleware<Subject>[], index: number, subject: Subject, done: Next) {
  const middleware = middlewares[index];
  if (middleware === undefined) return done();
  let called = false;
  const next: Next = (error) => {
    if (called) return;
    called = true;
    if (error) done(error);
    else runFrom(middlewares, index + 1, subject, done);
  };
  // A falsy value may be thrown as well.
  const fail = (error: unknown): void => next(error || new Error("middleware failed"));
  try {
    const result = middleware(subject, next);
    if (isThenable(result)) result.then(undefined, fail);
  } catch (error) {
    fail(error);
  }
}
