import type { HandshakeLimitOptions, EventLimitOptions } from "@plugboard/rate-limit";
import { SERVER_OPTION_NAMES, type ServerOptions } from "@plugboard/server";
import type { SocketSessionsOptions } from "@plugboard/session";
import type { RouteShorthandOptions } from "fastify";
import { checkFunctions, checkNames, checkObject, invalidOption } from "./check-options.js";
import type { HookContext } from "./event-types.js";
import type { FastifySocketServer } from "./types.js";

/** What a route of Fastify may have, as far as it makes sense for handshakes. */
export type HandshakeRouteOptions = Pick<
  RouteShorthandOptions,
  | "onRequest"
  | "preParsing"
  | "preValidation"
  | "preHandler"
  | "preSerialization"
  | "onSend"
  | "onResponse"
  | "onError"
  | "onTimeout"
  | "onRequestAbort"
  | "config"
  | "constraints"
  | "logLevel"
  | "errorHandler"
>;

/** How the sessions of `@fastify/session` or `@fastify/secure-session` are shared with sockets. */
export interface SessionOptions extends Omit<
  SocketSessionsOptions,
  "store" | "sessionIdOf" | "checkOrigin" | "admitBy"
> {
  /** Which session of `@fastify/secure-session` sockets have, by its `sessionName`. Default: "session". */
  name?: string;
}

/** Options of the plugin that are not those of a Socket.IO server. */
export interface FastifyOptions {
  /** Where Socket.IO is, below the prefix; with and without a slash at its end. Default: "/socket.io". */
  path?: string;
  /** Comes before `path`, behind the prefix of the scope where the plugin is registered. Default: "". */
  prefix?: string;
  /** Name of the decorator: give another to each further instance of one application. Default: "io". */
  decoratorName?: string;
  /** Hooks and other properties of the route, for this path alone. Their `preHandler` runs behind that of the application. */
  routeOptions?: HandshakeRouteOptions;
  /**
   * Which requests run the hooks of Fastify. `"handshake"`: those that begin a connection, over polling or WebSocket. Requests of
   * a connection that is open go to the engine at once, with the header fields that hooks have given to its handshake.
   * `"all"`: every request; `request.ioHandshake` tells handshakes from others. Default: "handshake".
   */
  hooks?: "all" | "handshake";
  /** Called for what handlers of `event`, hooks and listeners throw. What it returns is what the client reads, see `io.useError`. */
  errorHandler?: (error: unknown, context: HookContext | undefined) => unknown;
  /** Milliseconds that running handlers may still take when the application closes. Default: 5000. */
  closeTimeout?: number;
  /** Called before the server stops, such as to tell the clients. Awaited, for `closeTimeout` at most. */
  preClose?: (io: FastifySocketServer) => unknown;
  /**
   * Sessions: `false` leaves them alone. Default: those of `@fastify/session` or `@fastify/secure-session`, when one of them is
   * registered before this plugin.
   */
  session?: boolean | SessionOptions;
  /** Limits, see `@plugboard/rate-limit`; addresses are `request.ip`, which follows `trustProxy`. Default: none. */
  rateLimit?: { handshake?: HandshakeLimitOptions; events?: EventLimitOptions };
}

type Unused = "path" | "addTrailingSlash" | "destroyUpgrade" | "destroyUpgradeTimeout";

/** Options of the plugin: its own, and those of a Socket.IO server. */
export type SocketioOptions = FastifyOptions & Partial<Omit<ServerOptions, Unused>>;

/** Options with their defaults, and those that go to the server. */
export interface ResolvedOptions {
  readonly own: Required<Pick<FastifyOptions, "path" | "prefix" | "decoratorName" | "hooks" | "closeTimeout">> &
    FastifyOptions;
  readonly server: Partial<ServerOptions>;
}

/** @throws PluginError with code `SIO_FASTIFY_INVALID_OPTION` */
export function resolveOptions(options: SocketioOptions): ResolvedOptions {
  checkNames("socketio", options, OPTIONS);
  const {
    path = "/socket.io",
    prefix = "",
    decoratorName = "io",
    routeOptions,
    hooks = "handshake",
    errorHandler,
    closeTimeout = 5000,
    preClose,
    session,
    rateLimit,
    ...server
  } = options;
  check(typeof path === "string" && /^\/./.test(path), "path", path, 'a path such as "/socket.io"');
  check(typeof prefix === "string" && /^(\/.*)?$/.test(prefix), "prefix", prefix, 'a path such as "/api"');
  check(typeof decoratorName === "string" && decoratorName !== "", "decoratorName", decoratorName, "a name");
  check(hooks === "all" || hooks === "handshake", "hooks", hooks, '"all" or "handshake"');
  check(
    typeof closeTimeout === "number" && closeTimeout >= 0 && closeTimeout < 2 ** 31,
    "closeTimeout",
    closeTimeout,
    "a number of milliseconds",
  );
  checkFunction("errorHandler", errorHandler);
  checkFunction("preClose", preClose);
  if (routeOptions !== undefined) checkRoute(routeOptions);
  if (rateLimit !== undefined) checkNames("rateLimit", rateLimit, ["handshake", "events"]);
  if (session !== undefined && typeof session !== "boolean") checkNames("session", session, SESSION_OPTIONS);
  for (const name of ["addTrailingSlash", "destroyUpgrade", "destroyUpgradeTimeout"]) {
    if (!(name in server)) continue;
    throw invalidOption(
      `${name} does nothing here: the path is served with and without a slash, and upgrades of others are left alone; leave it out`,
    );
  }
  return {
    own: {
      path: path.replace(/\/+$/, ""),
      prefix,
      decoratorName,
      hooks,
      closeTimeout,
      ...(routeOptions && { routeOptions }),
      ...(errorHandler && { errorHandler }),
      ...(preClose && { preClose }),
      ...(session !== undefined && { session }),
      ...(rateLimit && { rateLimit }),
    },
    server,
  };
}

function checkFunction(name: string, value: unknown): void {
  check(value === undefined || typeof value === "function", name, value, "a function");
}

function check(isValid: boolean, name: string, value: unknown, wanted: string): void {
  if (!isValid) throw invalidOption(`${name} has to be ${wanted}, and is ${JSON.stringify(value)}`);
}

/** Properties of routes that would do nothing, and names that look as hooks do; plugins have properties of their own. */
function checkRoute(routeOptions: unknown): void {
  checkObject("routeOptions", routeOptions);
  for (const [name, value] of Object.entries(routeOptions)) {
    if (ROUTE_HOOKS.includes(name)) checkFunctions(`routeOptions.${name}`, value);
    else if (/^(on|pre)/i.test(name)) {
      throw invalidOption(`there is no hook ${JSON.stringify(name)} of routes: there are ${ROUTE_HOOKS.join(", ")}`);
    } else if (NOT_OF_ROUTE.includes(name)) {
      throw invalidOption(
        `routeOptions.${name} does nothing here: the route is that of Socket.IO at \`path\`; leave it out`,
      );
    }
  }
}

const OPTIONS: readonly string[] = [
  ...Object.keys({
    path: true,
    prefix: true,
    decoratorName: true,
    routeOptions: true,
    hooks: true,
    errorHandler: true,
    closeTimeout: true,
    preClose: true,
    session: true,
    rateLimit: true,
  } satisfies Record<keyof FastifyOptions, true>),
  // Of `register` itself, which hands them on.
  "logLevel",
  "logSerializers",
  ...SERVER_OPTION_NAMES,
];

const ROUTE_HOOKS: readonly string[] = [
  "onRequest",
  "preParsing",
  "preValidation",
  "preHandler",
  "preSerialization",
  "onSend",
  "onResponse",
  "onError",
  "onTimeout",
  "onRequestAbort",
] satisfies (keyof HandshakeRouteOptions)[];

const NOT_OF_ROUTE = ["url", "path", "method", "schema", "handler"];

const SESSION_OPTIONS: readonly string[] = Object.keys({
  onEnd: true,
  touchEveryMs: true,
  revalidateEveryMs: true,
  turnTimeoutMs: true,
  maxWaiting: true,
  name: true,
} satisfies Record<keyof SessionOptions, true>);
