import { createServer, type Server as HttpServer } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Http2SecureServer, Http2Server } from "node:http2";

export type HttpServerLike = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** Tells options from what a server can be attached to: the first argument of the constructor may be either. */
export function isOptions(value: unknown): value is object {
  return typeof value === "object" && value !== null && typeof (value as { listen?: unknown }).listen !== "function";
}

/**
 * The HTTP server to attach to: the given one, or for a port a new one that answers 404 to whatever is not ours.
 *
 * @throws when given a function, such as an Express app
 */
export function httpServerOf(target: unknown): HttpServerLike {
  if (typeof target === "function") {
    throw new Error(
      "You are trying to attach socket.io to an express request handler function. Please pass a http.Server instance.",
    );
  }
  if (typeof target === "object" && target !== null) return target as HttpServerLike;
  const port = typeof target === "number" || typeof target === "string" ? Number(target) : Number.NaN;
  if (target === "" || !Number.isInteger(port)) throw new TypeError(`cannot listen on ${String(target)}: not a port`);
  return createServer((_request, response) => {
    response.writeHead(404).end();
  }).listen(port);
}
