import type { NamespaceMatcher } from "@plugboard/server";
import type { FastifyInstance } from "fastify";
import { connectError } from "./connect-error.js";
import type { HookSocket } from "./event-types.js";
import type { Socketio } from "./socketio.js";
import type { FastifyNamespace } from "./types.js";

/** Options of `fastify.ioNamespace`. */
export interface NamespaceOptions {
  /**
   * Run in order before a socket joins; one that throws or rejects refuses it: the client gets `connect_error` with the message
   * and, as `data`, `code` or `statusCode` of the error and what it has as `data`.
   */
  preConnect?: ((socket: HookSocket) => unknown) | ((socket: HookSocket) => unknown)[];
  /** Name of the decorator of the server. Default: "io". */
  io?: string;
}

/** A plugin of Fastify that declares a namespace. */
export type NamespacePlugin = (namespace: FastifyNamespace, scope: FastifyInstance) => unknown;

/** Registers a namespace in a scope of its own: its hooks and events reach no others. */
export function registerNamespace(
  app: FastifyInstance,
  socketio: Socketio,
  name: string | RegExp | NamespaceMatcher,
  options: NamespaceOptions,
  plugin: NamespacePlugin,
): void {
  const { preConnect = [] } = options;
  const checks = Array.isArray(preConnect) ? preConnect : [preConnect];
  void app.register(async (scope) => {
    const namespace = socketio.io.of(name);
    if (checks.length > 0) {
      namespace.use((socket, next) => {
        allow(checks, socket as unknown as HookSocket).then(
          () => next(),
          (error: unknown) => next(connectError(error)),
        );
      });
    }
    await plugin(socketio.namespaceFront(namespace, scope, name) as FastifyNamespace, scope);
  });
}

async function allow(checks: readonly ((socket: HookSocket) => unknown)[], socket: HookSocket): Promise<void> {
  for (const check of checks) await check(socket);
}
