import type { TestClientOptions, TestSocket } from "@plugboard/testing";
import type { DefaultEventsMap, EventsMap } from "@plugboard/server";
import { HttpAdapterHost } from "@nestjs/core";
import { invalidOption, nestjsError } from "./nestjs-error.js";
import { SocketIoAdapter, type ProviderSource } from "./socket-io-adapter.js";

/** What we need of an application. */
export interface TestedApplication extends ProviderSource {
  init(): Promise<unknown>;
}

/**
 * Connects a client to an application in the same process, which need not listen: it is initialised if it is not yet. Rejects as
 * a client is refused: with the message of `connect_error`, and its `data`. It is disconnected when the application has closed.
 *
 * ```ts
 * const client = await createTestClient(app, "/chat", { auth: { token } });
 * ```
 *
 * @param namespace - its name. Default: `/`
 * @param options - those of `testClient` of `@plugboard/testing`
 * @throws NestjsError with code `SIO_NESTJS_NO_ADAPTER` when the application has none, `SIO_NESTJS_INVALID_OPTION` when the
 * namespace is no text
 */
export async function createTestClient<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
>(
  app: TestedApplication,
  namespace: string = "/",
  options: TestClientOptions = {},
): Promise<TestSocket<ListenEvents, EmitEvents>> {
  if (typeof namespace !== "string") {
    throw invalidOption(
      'createTestClient takes the name of the namespace before the options: createTestClient(app, "/", { auth })',
    );
  }
  // Only here: what tests need is not loaded by servers that run.
  const { testClient } = await import("@plugboard/testing");
  await app.init();
  const { httpAdapter } = app.get<HttpAdapterHost>(HttpAdapterHost, { strict: false });
  const instance = httpAdapter.getInstance<{ ready?: () => PromiseLike<unknown> }>();
  if (httpAdapter.getType() === "fastify") await instance.ready?.();
  const adapter = SocketIoAdapter.of(app);
  if (adapter === undefined) {
    throw nestjsError(
      "SIO_NESTJS_NO_ADAPTER",
      "the application has no SocketIoAdapter: import SocketIoModule.forRoot()",
    );
  }
  const client = await testClient(adapter.server, namespace, options);
  // It would try to come back for ever, and keep the process of the tests alive.
  adapter.onDisposed(() => void client.disconnect());
  return client as unknown as TestSocket<ListenEvents, EmitEvents>;
}
