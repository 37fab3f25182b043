import { socketio, type SocketioOptions } from "@plugboard/fastify";
import Fastify, { type FastifyInstance, type FastifyServerOptions } from "fastify";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface StartedApp {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly port: number;
}

/** What a test does with an application before it starts. */
export type Setup = (app: FastifyInstance) => unknown;

/** An application of Fastify that listens until the running test ends. */
export async function listen(
  app: FastifyInstance,
  host: string = "127.0.0.1",
  askedPort: number = 0,
): Promise<StartedApp> {
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  await app.listen({ port: askedPort, host });
  const { port } = app.server.address() as AddressInfo;
  return { app, url: `http://${host}:${port}`, port };
}

/** One with the plugin. */
export async function startApp(
  options: SocketioOptions = {},
  { before, after, fastify = {} }: { before?: Setup; after?: Setup; fastify?: FastifyServerOptions } = {},
): Promise<StartedApp> {
  const app = Fastify(fastify);
  await before?.(app);
  await app.register(socketio, options);
  await after?.(app);
  return listen(app);
}
