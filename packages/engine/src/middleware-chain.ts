type Next = (error?: unknown) => void;

/**
 * Runs middlewares one after the other, as they are now: what is added meanwhile waits for the next run. An error given
 * to `next`, thrown or rejected with ends the run. A second `next` of one middleware is ignored, so `done` is called at
 * most once; never, if a middleware never calls `next`. `done` must not throw: it may run inside a middleware.
 */
export function runMiddlewareChain<Args extends unknown[]>(
  middlewares: ReadonlyArray<(...args: [...Args, Next]) => unknown>,
  args: Args,
  done: Next,
): void {
  if (middlewares.length === 0) done();
  else runFrom(middlewares.slice(), 0, args, done);
}

function runFrom<Args extends unknown[]>(
  middlewares: ReadonlyArray<(...args: [...Args, Next]) => unknown>,
  index: number,
  args: Args,
  done: Next,
): void {
  const middleware = middlewares[index];
  if (middleware === undefined) return done();
  let called = false;
  const next: Next = (error) => {
    if (called) return;
    called = true;
    if (error) done(error);
    else runFrom(middlewares, index + 1, args, done);
  };
  // A falsy value may be thrown as well, and must not count as consent.
  const fail = (error: unknown): void => next(error || new Error("middleware failed"));
  try {
    const result = middleware(...args, next) as PromiseLike<unknown> | undefined;
    if (typeof result?.then === "function") result.then(undefined, fail);
  } catch (error) {
    fail(error);
  }
}
