import { createServer, Server as HttpServer } from "node:http";
import { Server as TlsServer } from "node:tls";
import type { Server } from "@plugboard/server";

/** What connections in memory can end in: servers of `http` and `https`, those of frameworks too, and of HTTP/2 with `allowHTTP1`. */
export type WebServer = HttpServer | TlsServer;

/** A Socket.IO server, whatever its events. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyServer = Server<any, any, any, any>;

/** The HTTP server of a Socket.IO server. One that has none is attached to a new one, which never listens. */
function attachedServer(io: AnyServer): unknown {
  const { engine, httpServer } = io as Partial<AnyServer>;
  if (httpServer !== undefined) return httpServer;
  if (engine !== undefined) {
    throw new Error(
      "the server was bound to an engine made elsewhere: use memoryAgent(httpServer) as the option `agent`",
    );
  }
  return io.attach(unlistenedServer()).httpServer;
}

function unlistenedServer(): HttpServer {
  const server = createServer((_request, response) => void response.writeHead(404).end());
  const close = server.close.bind(server);
  // Nobody has to know that it was never started: `io.close(done)` ends without an error.
  server.close = (callback) => close(() => callback?.());
  return server;
}

/**
 * @throws TypeError for what does not speak HTTP/1
 * @throws Error for a server that was bound to an engine instead of attached
 */
export function webServerOf(target: WebServer | AnyServer): WebServer {
  const server =
    typeof (target as Partial<AnyServer>).attach === "function" ? attachedServer(target as AnyServer) : target;
  if (server instanceof HttpServer || server instanceof TlsServer) return server;
  throw new TypeError("memory connections need a server of node:http or node:https, or a Socket.IO server");
}

const closedServers = new WeakSet<WebServer>();
const watchedServers = new WeakSet<WebServer>();

/** From now on {@link isClosed} knows whether it was closed. */
export function watchClosing(server: WebServer): void {
  if (watchedServers.has(server)) return;
  watchedServers.add(server);
  server.on("close", () => closedServers.add(server)).on("listening", () => closedServers.delete(server));
}

/** Whether it was closed since it is watched, and does not listen again. */
export function isClosed(server: WebServer): boolean {
  return closedServers.has(server);
}
