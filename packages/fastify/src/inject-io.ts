import type { TestClientOptions, TestSocket } from "@plugboard/testing";
import type { FastifyInstance } from "fastify";
import { invalidOption } from "./check-options.js";
import type { Socketio } from "./socketio.js";
import type { RegisteredEmitEvents, RegisteredListenEvents } from "./types.js";

/** Options of `fastify.injectIO`: those of `testClient` of `@plugboard/testing`. */
export interface InjectOptions extends TestClientOptions {
  /** Name of the decorator of the server. Default: "io". */
  io?: string;
}

/** A client in the same process, typed by `Register`. */
export type InjectedSocket = TestSocket<RegisteredEmitEvents, RegisteredListenEvents>;

/**
 * Connects a client to an application that need not listen. It ends with the application at the latest: it would try to come back
 * for ever, and keep the process of a test alive.
 *
 * @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION` when the namespace is no text
 */
export async function injectClient(
  app: FastifyInstance,
  socketio: Socketio,
  namespace: string,
  { io: _name, remoteAddress, ...options }: InjectOptions,
): Promise<InjectedSocket> {
  if (typeof namespace !== "string") {
    throw invalidOption(
      'injectIO gets the name of the namespace first, and options behind it: injectIO("/", { auth })',
    );
  }
  // Only here: what tests need is not loaded by servers that run.
  const { memoryAgent, testClient } = await import("@plugboard/testing");
  await app.ready();
  const agent = memoryAgent(app.server as never, remoteAddress === undefined ? {} : { remoteAddress });
  const socket = await testClient(socketio.io, namespace, { agent, ...options });
  socketio.endWith(socket);
  return socket as unknown as InjectedSocket;
}
