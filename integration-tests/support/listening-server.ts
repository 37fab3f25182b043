import { createServer, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type {
  InteropImplementation,
  InteropServer,
  InteropServerOptions,
  WebServer,
} from "./interop-implementation.js";

export interface ListenOptions {
  /** The web server to attach to, not listening yet; a plain HTTP server by default. */
  webServer?: WebServer;
  /** 0 (any free port) by default. */
  port?: number;
}

export interface ListeningServer {
  readonly io: InteropServer;
  readonly webServer: WebServer;
  readonly port: number;
  /** `http://127.0.0.1:port`, or `https:` for a TLS server. */
  readonly url: string;
}

/** Starts a server on 127.0.0.1 which is closed, with all its connections, when the running test finishes. */
export async function listen(
  implementation: InteropImplementation,
  options: InteropServerOptions,
  listenOptions: ListenOptions,
): Promise<ListeningServer> {
  const webServer: WebServer = listenOptions.webServer ?? createServer();
  const io = implementation.createServer(webServer, options);
  webServer.listen(listenOptions.port ?? 0, "127.0.0.1");
  await once(webServer, "listening");
  onTestFinished(async () => {
    await io.close();
    closeConnections(webServer);
  });
  const { port } = webServer.address() as AddressInfo;
  const scheme = "setSecureContext" in webServer ? "https" : "http";
  return { io, webServer, port, url: `${scheme}://127.0.0.1:${port}` };
}

/** Ends what a test left open; idle keep-alive connections of the clients mostly. */
function closeConnections(webServer: WebServer): void {
  (webServer as HttpServer).closeAllConnections();
}
