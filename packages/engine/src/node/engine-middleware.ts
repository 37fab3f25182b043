import type { IncomingMessage, ServerResponse } from "node:http";

/** Express-style middleware of the engine: runs for every HTTP request and upgrade of its path (spec/server.md 1.5). */
export type EngineMiddleware = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>;
