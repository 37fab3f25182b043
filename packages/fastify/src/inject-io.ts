import type { Server } from "@plugboard/server";
import type { TestClientOptions, TestSocket } from "@plugboard/testing";
import type { FastifyInstance } from "fastify";
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
  // Only here: what tests need is not loaded by servers that run.
  const { memoryAgent, testClient } = await import("@plugboard/testing");
  await app.ready();
  const agent = memoryAgent(app.server as never, remoteAddress === undefined ? {} : { remoteAddress });
  return testClient(io, namespace, { agent, ...options }) as unknown as Promise<InjectedSocket>;
}
