import type { CredentialsHandle } from "@plugboard/auth";
import type { AsyncApiDocument } from "@plugboard/contract";
import type { NamespaceMatcher } from "@plugboard/server";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import fastifyPlugin from "fastify-plugin";
import type { AsyncApiOptions } from "./async-api.js";
import { injectClient, type InjectedSocket, type InjectOptions } from "./inject-io.js";
import { verifyJwt, type JwtCredentials, type JwtOptions } from "./jwt.js";
import { isHandshake } from "./mount.js";
import { registerNamespace, type NamespaceOptions, type NamespacePlugin } from "./namespace-scope.js";
import { resolveOptions, type SocketioOptions } from "./options.js";
import { pluginError } from "./plugin-error.js";
import { Socketio } from "./socketio.js";

/** The servers of an application, by the names of their decorators: as a decorator, for scopes to inherit. */
const SERVERS = Symbol("plugboard.fastify.servers");

interface WithServers {
  readonly [SERVERS]?: Map<string, Socketio>;
}

/**
 * Socket.IO as a plugin of Fastify 5. Register it behind the plugins that handshakes are to run (cookies, sessions, CORS) and
 * before those that use `fastify.io`.
 *
 * ```ts
 * await app.register(socketio, { routeOptions: { preHandler: onlyUsers } });
 * app.io.event("double", { schema: { payload: { type: "number" } } }, (n) => 2 * n);
 * ```
 */
export const socketio: FastifyPluginAsync<SocketioOptions> = fastifyPlugin(register, {
  fastify: "5.x",
  name: "@plugboard/fastify",
});

async function register(app: FastifyInstance, options: SocketioOptions): Promise<void> {
  const resolved = resolveOptions(options);
  const { decoratorName, prefix } = resolved.own;
  if (app.initialConfig.http2 === true) {
    throw pluginError(
      "SIO_FASTIFY_HTTP2",
      "Socket.IO needs HTTP/1.1 for WebSocket, and this application has http2: true: use http or https, with HTTP/2 in a proxy in front",
    );
  }
  const servers = serversOf(app);
  if (app.hasDecorator(decoratorName)) {
    throw pluginError(
      "SIO_FASTIFY_DECORATOR_TAKEN",
      `fastify.${decoratorName} is taken: give this instance another name, such as { decoratorName: "adminIo" }`,
    );
  }
  const socketio = new Socketio(app, resolved);
  for (const other of servers.values()) {
    if (other.io.path() !== socketio.io.path()) continue;
    throw pluginError(
      "SIO_FASTIFY_PATH_TAKEN",
      `fastify.${nameOf(servers, other)} is at ${other.io.path()} already: give this instance another path, such as { path: "/admin/io" }`,
    );
  }
  servers.set(decoratorName, socketio);
  app.decorate(decoratorName, {
    getter(this: FastifyInstance) {
      return socketio.front(this);
    },
  });
  app.addHook("onReady", async () => socketio.onReady());
  app.addHook("preClose", () => socketio.stop());
  app.addHook("onClose", () => socketio.stop());
  await app.register(async (scope) => socketio.mount(scope), { prefix });
}

function nameOf(servers: ReadonlyMap<string, Socketio>, wanted: Socketio): string {
  return [...servers].find(([, socketio]) => socketio === wanted)?.[0] ?? "io";
}

/** The servers that a scope knows. With the first come the decorators that all share. */
function serversOf(app: FastifyInstance): Map<string, Socketio> {
  const known = (app as WithServers)[SERVERS];
  if (known !== undefined) return known;
  const servers = new Map<string, Socketio>();
  app.decorate(SERVERS, servers);
  if (!app.hasRequestDecorator("ioHandshake")) {
    app.decorateRequest("ioHandshake", {
      getter() {
        const path = this.routeOptions.url?.replace(/\/$/, "");
        return [...servers.values()].some(({ io }) => io.path() === path) && isHandshake(this.raw);
      },
    });
  }
  if (!app.hasRequestDecorator("io")) {
    app.decorateRequest("io", {
      getter() {
        return this.server.io;
      },
    });
  }
  if (!app.hasReplyDecorator("io")) {
    app.decorateReply("io", {
      getter() {
        return this.request.io;
      },
    });
  }
  app.decorate(
    "ioNamespace",
    function (
      this: FastifyInstance,
      name: string | RegExp | NamespaceMatcher,
      ...rest: [NamespaceOptions, NamespacePlugin] | [NamespacePlugin]
    ) {
      const plugin = rest.at(-1) as NamespacePlugin;
      const options = rest.length === 2 ? rest[0] : {};
      registerNamespace(this, find(this, options.io), name, options, plugin);
      return this;
    },
  );
  app.decorate("ioJwt", function (this: FastifyInstance, options: JwtOptions = {}): CredentialsHandle<JwtCredentials> {
    return verifyJwt(this, find(this, options.io).io, options);
  });
  app.decorate("asyncapi", function (this: FastifyInstance, options: AsyncApiOptions = {}): AsyncApiDocument {
    return find(this, options.io).describe(options);
  });
  app.decorate(
    "injectIO",
    function (this: FastifyInstance, namespace: string = "/", options: InjectOptions = {}): Promise<InjectedSocket> {
      return injectClient(this, find(this, options.io).io, namespace, options);
    },
  );
  return servers;
}

function find(app: FastifyInstance, name: string = "io"): Socketio {
  const servers = (app as WithServers)[SERVERS];
  const found = servers?.get(name);
  if (found !== undefined) return found;
  const names = [...(servers?.keys() ?? [])].join(", ");
  throw pluginError(
    "SIO_FASTIFY_NO_SUCH_IO",
    `there is no Socket.IO server ${name}: there are ${names}; say which by { io: "..." }`,
  );
}
