import type { CredentialsHandle } from "@plugboard/auth";
import type { AsyncApiDocument } from "@plugboard/contract";
import type { DefaultEventsMap, NamespaceMatcher } from "@plugboard/server";
import type {
  FastifyBaseLogger,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
} from "fastify";
import type { AsyncApiOptions } from "./async-api.js";
import type { InjectedSocket, InjectOptions } from "./inject-io.js";
import type { JwtCredentials, JwtOptions } from "./jwt.js";
import type { NamespaceOptions, NamespacePlugin } from "./namespace-scope.js";
import { socketio } from "./plugin.js";
import type { FastifySocketServer, RegisteredData, RegisteredEmitEvents, RegisteredListenEvents } from "./types.js";

export { socketio };
// oxlint-disable-next-line import/no-default-export -- plugins of Fastify are imported by it
export { socketio as default };
export type { AsyncApiOptions } from "./async-api.js";
export type { EventHooks, EventOptions, EventSchema, HookContext, HookSocket } from "./event-types.js";
export type { InjectedSocket, InjectOptions } from "./inject-io.js";
export type { JwtClaims, JwtCredentials, JwtOptions } from "./jwt.js";
export type { NamespaceOptions, NamespacePlugin } from "./namespace-scope.js";
export type { HandshakeRouteOptions, SessionOptions, SocketioOptions } from "./options.js";
export type { PluginError, PluginErrorCode } from "./plugin-error.js";
export type { FastifyNamespace, FastifySocket, FastifySocketServer, Register, SessionReference } from "./types.js";

declare module "fastify" {
  interface FastifyInstance<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
  > {
    /** The Socket.IO server, as this scope sees it: events and hooks added here reach no scopes but those within. */
    readonly io: FastifySocketServer<
      RegisteredListenEvents,
      RegisteredEmitEvents,
      DefaultEventsMap,
      RegisteredData,
      TypeProvider
    >;
    /** Declares a namespace in a scope of its own. */
    ioNamespace(name: string | RegExp | NamespaceMatcher, plugin: NamespacePlugin): this;
    ioNamespace(name: string | RegExp | NamespaceMatcher, options: NamespaceOptions, plugin: NamespacePlugin): this;
    /** Lets clients in by tokens that `fastify.jwt.verify` accepts, and ends their sockets when the tokens do. */
    ioJwt(options?: JwtOptions): CredentialsHandle<JwtCredentials>;
    /**
     * Describes the events that are registered by now as an AsyncAPI 3.0 document, ready for `JSON.stringify`: those of
     * `io.event` by their schemas, and those of contracts that namespaces have.
     *
     * @throws EventError with code `SIO_NO_JSON_SCHEMA` when neither `toJsonSchema` nor a schema itself gives a JSON Schema
     */
    asyncapi(options?: AsyncApiOptions): AsyncApiDocument;
    /**
     * Connects a client without a port, for tests: it passes all hooks.
     *
     * @param namespace - default: "/"
     * @returns rejects as `testClient` of `@plugboard/testing` does
     */
    injectIO(namespace?: string, options?: InjectOptions): Promise<InjectedSocket>;
  }

  interface FastifyRequest {
    /** `fastify.io` of the scope of the route: `request.io.to(request.session).emit(...)`. */
    readonly io: FastifySocketServer;
    /** Whether it begins a connection of Socket.IO: `false` for polls, and for requests to other routes. */
    readonly ioHandshake: boolean;
  }

  interface FastifyReply {
    /** The same as `request.io`. */
    readonly io: FastifySocketServer;
  }
}
