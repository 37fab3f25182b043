/**
 * Express-style middleware of the engine: runs for every HTTP request and upgrade of its path (spec/server.md 1.5).
 *
 * `req` is an `IncomingMessage` with the parsed query as `_query`; `res` a `ServerResponse`, or during an upgrade what
 * stands in for it. They are typed loosely so that middlewares written for Express, whose requests know more, fit.
 */
export type EngineMiddleware = (req: any, res: any, next: (error?: any) => void) => unknown;
