import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ListenerFailure, type ServerOptions } from "@plugboard/server";
import { onTestFinished } from "vitest";

export interface LimitedServer {
  readonly io: Server;
  readonly port: number;
  readonly url: string;
  /** What `onListenerError` was told. */
  readonly failures: ListenerFailure[];
}

/** A server on a free port, closed when the running test finishes. */
export async function serveLimited(options: Partial<ServerOptions> = {}): Promise<LimitedServer> {
  const failures: ListenerFailure[] = [];
  const httpServer = createServer();
  const io = new Server(httpServer, { onListenerError: (failure) => failures.push(failure), ...options });
  httpServer.listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  onTestFinished(() => io.close());
  const { port } = httpServer.address() as AddressInfo;
  return { io, port, url: `http://127.0.0.1:${port}`, failures };
}
