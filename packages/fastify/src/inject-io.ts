import type { Server } from "@plugboard/server";
import type * as Testing from "@plugboard/testing";
import type { TestClientOptions, TestSocket } from "@plugboard/testing";
import type { FastifyInstance } from "fastify";
import { pluginError } from "./plugin-error.js";
import type { RegisteredEmitEvents, RegisteredListenEvents } from "./types.js";

/** Options of `fastify.injectIO`: those of `testClient` of `@plugboard/testing`. */
export interface InjectOptions extends TestClientOptions {
  /** Name of the decorator of the server. Default: "io". */
  io?: string;
}

/** A client in the same process, typed by `Register`. */
export type InjectedSocket = TestSocket<RegisteredEmitEvents, RegisteredListenEvents>;

/** Connects a client to an application that need not listen. */
export async function injectClient(
  app: FastifyInstance,
  io: Server,
  namespace: string,
  { io: _name, remoteAddress, ...options }: InjectOptions,
): Promise<InjectedSocket> {
  const { memoryAgent, testClient } = await loadTesting();
  await app.ready();
  const agent = memoryAgent(app.server as never, remoteAddress === undefined ? {} : { remoteAddress });
  return testClient(io, namespace, { agent, ...options }) as unknown as Promise<InjectedSocket>;
}

async function loadTesting(): Promise<typeof Testing> {
  try {
    return await import("@plugboard/testing");
  } catch (error) {
    throw pluginError(
      "SIO_FASTIFY_NO_TESTING",
      "injectIO needs @plugboard/testing: npm install --save-dev @plugboard/testing",
      error,
    );
  }
}
