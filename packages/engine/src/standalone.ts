import { createServer, type Server as HttpServer } from "node:http";
import type { Engine } from "./contract.js";
import { EngineServer } from "./engine.js";
import type { AttachOptions, EngineOptions } from "./options.js";

/** Makes an engine and attaches it to an HTTP server; the path is "/engine.io" unless `options` say otherwise. */
export function attach(server: HttpServer, options: EngineOptions & AttachOptions = {}): Engine {
  return new EngineServer(options).attach(server, options) as unknown as Engine;
}

/**
 * Makes an engine with an HTTP server of its own, which answers 501 to what is not the engine's (spec/server.md 1.2).
 *
 * @param onListening - may take the place of `options`
 * @returns the engine; the HTTP server is its `httpServer`
 */
export function listen(
  port: number,
  options?: (EngineOptions & AttachOptions) | (() => void),
  onListening?: () => void,
): Engine {
  const server = createServer((_req, res) => void res.writeHead(501).end("Not Implemented"));
  const engine = attach(server, typeof options === "function" ? {} : options);
  server.listen(port, typeof options === "function" ? options : onListening);
  return engine;
}
