import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RECOVERY_PATH } from "../client/scenarios/scenario.js";
import { serveScenarios } from "../client/scenarios/scenario-server.js";
import type { InteropImplementation, InteropServer, InteropServerOptions } from "../support/interop-implementation.js";
import { serveMoreScenarios } from "./scenarios/more-scenarios-server.js";
import { TIGHT_PATH } from "./scenarios/more-scenarios.js";

/** Files by their path, as text with its media type. */
export type Files = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

/** A server that plays the other end of the scenarios and gives out files on the same origin. */
export interface EnvironmentServer {
  readonly url: string;
  readonly io: InteropServer;
  close(): Promise<void>;
}

const common = {
  cors: { origin: true, credentials: true },
  // Connections that nobody wants end soon; a second by default.
  destroyUpgradeTimeout: 50,
} satisfies InteropServerOptions;

/** Starts servers of the implementation on one port of 127.0.0.1: a plain one, one with recovery, one with tight limits. */
export async function startEnvironmentServer(
  implementation: InteropImplementation,
  files: Files = new Map(),
  options: InteropServerOptions = {},
): Promise<EnvironmentServer> {
  const webServer = createServer((request, response) => giveFile(files, request, response));
  const start = (own: InteropServerOptions): InteropServer => {
    const io = implementation.createServer(webServer, { ...common, ...own });
    serveScenarios(io);
    serveMoreScenarios(io);
    return io;
  };
  const plain = start({ maxHttpBufferSize: 1e7, ...options });
  const recovering = start({ path: RECOVERY_PATH, connectionStateRecovery: {} });
  const tight = start({ path: TIGHT_PATH, maxHttpBufferSize: 100_000, pingInterval: 50 });
  webServer.listen(0, "127.0.0.1");
  await once(webServer, "listening");
  return {
    url: `http://127.0.0.1:${(webServer.address() as AddressInfo).port}`,
    io: plain,
    close: () => closeAll(webServer, [plain, recovering, tight]),
  };
}

async function closeAll(webServer: HttpServer, servers: readonly InteropServer[]): Promise<void> {
  for (const io of servers) io.disconnectSockets(true);
  for (const io of servers) io.engine.close();
  const closed = once(webServer, "close");
  webServer.close();
  webServer.closeAllConnections();
  await closed;
}

function giveFile(files: Files, request: IncomingMessage, response: ServerResponse): void {
  const file = files.get((request.url ?? "").replace(/\?.*$/, ""));
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": file.type }).end(file.text);
}
