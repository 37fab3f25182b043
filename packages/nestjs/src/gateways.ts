import * as common from "@nestjs/common";
import type { CanActivate } from "@nestjs/common";
import type { ApplicationConfig, ModulesContainer } from "@nestjs/core";
import type { ServerOptions } from "@plugboard/server";
import { isDeepStrictEqual } from "node:util";
import { Connection } from "./connection.js";
import { inSocketContext } from "./current-socket.js";
import type { EventFailures } from "./event-failures.js";
import { LastFilter, watchFilter } from "./filters.js";
import { methodsOf } from "./methods-of.js";
import { NEST_KEYS } from "./nest-keys.js";
import { nestjsError, invalidOption } from "./nestjs-error.js";
import type { OwnOptions } from "./options.js";
import { isThenable } from "./thenable.js";
import { withReason } from "./ws-reason.js";

/** Methods that our class decorators add to gateways, so that Nest makes what is named there by dependency injection. */
export const CONNECTION_GUARDS = "$connectionGuards";
export const SOCKET_MIDDLEWARE = "$socketMiddleware";

/** A class, as Nest calls it. */
export type GatewayClass = new (...args: never[]) => object;

export type GatewayOptions = Partial<ServerOptions> & { namespace?: string | RegExp };

/** A gateway, as it is declared. */
export interface Gateway {
  readonly type: GatewayClass;
  readonly port: number;
  readonly options: GatewayOptions;
  /** Whether Nest makes an instance for each socket, later than it calls those of which there is one. */
  readonly isScoped: boolean;
  /** Of its module: what guards and middlewares Nest has made for it. */
  readonly injectables: ReadonlyMap<unknown, { readonly instance: unknown }>;
}

/** The gateways of all modules, each class once. */
export function findGateways(modules: ModulesContainer): Gateway[] {
  const found = new Map<GatewayClass, Gateway>();
  for (const { providers, injectables } of modules.values()) {
    for (const wrapper of providers.values()) {
      const { metatype, isNotMetatype } = wrapper;
      if (typeof metatype !== "function" || isNotMetatype || found.has(metatype as GatewayClass)) continue;
      const options = Reflect.getMetadata(NEST_KEYS.gatewayOptions, metatype) as GatewayOptions | undefined;
      if (options === undefined) continue;
      const port = (Reflect.getMetadata(NEST_KEYS.port, metatype) as number | undefined) ?? 0;
      const type = metatype as GatewayClass;
      const isScoped = !wrapper.isDependencyTreeStatic();
      found.set(type, { type, port, options, isScoped, injectables: injectables as Gateway["injectables"] });
    }
  }
  return [...found.values()];
}

/** Tells servers apart: gateways with the same port and path share one. */
export function serverKey(port: number, path: string): string {
  return `${port} ${path.replace(/\/$/, "")}`;
}

/** Who has given the options of the adapter, for people. */
const APPLICATION = "SocketIoModule.forRoot() or new SocketIoAdapter(app, options)";

/**
 * What the gateways of one server say about it, together.
 *
 * @param shared - what the application says about this very server
 * @throws NestjsError with code `SIO_NESTJS_CONFLICTING_OPTIONS` when two say something different, with the names of both
 */
export function serverOptionsOf(
  gateways: readonly Gateway[],
  shared: Partial<ServerOptions> = {},
): Partial<ServerOptions> {
  const all: Record<string, unknown> = { ...shared };
  const given = Object.entries(shared).filter(([, value]) => value !== undefined);
  const saidBy = new Map(given.map(([name]) => [name, APPLICATION]));
  for (const { type, options } of gateways) {
    // By its path it has been found.
    const { namespace: _namespace, path: _path, ...said } = options;
    for (const [name, value] of Object.entries(said)) {
      const first = saidBy.get(name);
      if (first !== undefined && !isDeepStrictEqual(all[name], value)) {
        throw nestjsError(
          "SIO_NESTJS_CONFLICTING_OPTIONS",
          `${first} and ${type.name} share a Socket.IO server, and give its option "${name}" different values: ` +
            `give it once, or a gateway a path of its own`,
        );
      }
      all[name] = value;
      if (first === undefined) saidBy.set(name, type.name);
    }
  }
  return all;
}

const prepared = new WeakSet<object>();

/** Puts our filter behind those of a gateway and something around its hooks, before Nest looks at either. */
export function prepareGateway(gateway: Gateway, context: GatewayContext): void {
  const { prototype } = gateway.type as unknown as { prototype: object };
  applyGlobals(gateway.type, context);
  if (!context.options.compatAcks) addFilters(gateway.type, prototype);
  wrapHook(prototype, "afterInit", false, context);
  // Of scoped ones Nest calls them in any case, and where they are missing nobody hears of an instance that cannot be made.
  for (const name of ["handleConnection", "handleDisconnect"]) wrapHook(prototype, name, gateway.isScoped, context);
}

/** What the hooks of gateways report to. */
export interface GatewayContext {
  readonly options: OwnOptions;
  readonly config: ApplicationConfig;
  readonly failures: EventFailures;
  onInitFailed(error: unknown): void;
  track(work: Promise<unknown>): void;
}

/** Whether Nest applies global guards, pipes and interceptors to gateways itself: since 12, which brought this class. */
const hasGlobals = "StandardSchemaValidationPipe" in common;

function applyGlobals(type: GatewayClass, { options, config }: GatewayContext): void {
  if (prepared.has(type)) return;
  prepared.add(type);
  if (options.globalEnhancers && !hasGlobals) {
    prepend(type, NEST_KEYS.guards, config.getGlobalGuards());
    prepend(type, NEST_KEYS.pipes, config.getGlobalPipes());
    prepend(type, NEST_KEYS.interceptors, config.getGlobalInterceptors());
  }
  if (options.globalFilters) prepend(type, NEST_KEYS.filters, config.getGlobalFilters());
}

function prepend(target: object, key: string, values: readonly unknown[]): void {
  if (values.length === 0) return;
  const given = (Reflect.getMetadata(key, target) as readonly unknown[] | undefined) ?? [];
  Reflect.defineMetadata(key, [...values, ...given.filter((value) => !values.includes(value))], target);
}

const lastFilter = new LastFilter();

/** Nest asks the filters of a class from the last to the first. */
function addFilters(type: GatewayClass, prototype: object): void {
  prepend(type, NEST_KEYS.filters, [lastFilter]);
  for (const holder of [type, ...methodsOf(prototype)]) {
    const filters = Reflect.getMetadata(NEST_KEYS.filters, holder) as readonly unknown[] | undefined;
    for (const filter of filters ?? []) watchFilter(filter);
  }
}

type Hook = (this: object, ...args: unknown[]) => unknown;

/** A class may serve several applications, in tests: which of them is told by the socket or asked last. */
const contexts = new WeakMap<object, GatewayContext>();

/** Nest neither awaits a hook nor catches what it throws. */
function wrapHook(prototype: object, name: string, isScoped: boolean, context: GatewayContext): void {
  const original = (prototype as Record<string, Hook | undefined>)[name] ?? (isScoped ? () => {} : undefined);
  if (original === undefined) return;
  contexts.set(prototype, context);
  if (prepared.has(original)) return;
  const wrapped: Hook = function (...args) {
    const run = (): unknown => original.apply(this, args);
    const current = contexts.get(prototype) ?? context;
    if (name === "afterInit") return containInit(run, current);
    const connection = Connection.of(args[0]);
    // Called by the program itself: none of our business.
    if (connection === undefined) return run();
    return inSocketContext(connection.socket, () => {
      if (name === "handleConnection") return connect(connection, prototype, run);
      return disconnect(() => original.apply(this, withReason(original, args, connection.reason)), current);
    });
  };
  // Guards and the like are kept on the function.
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapped);
  }
  Object.defineProperty(wrapped, "name", { value: name });
  prepared.add(wrapped);
  Object.defineProperty(prototype, name, { value: wrapped, configurable: true, writable: true });
}

function containInit(run: () => unknown, context: GatewayContext): void {
  try {
    const result = run();
    if (isThenable(result)) void Promise.resolve(result).catch((error: unknown) => context.failures.log(error));
  } catch (error) {
    context.onInitFailed(error);
  }
}

function connect(connection: Connection, gateway: object, run: () => unknown): unknown {
  try {
    const result = run();
    connection.addConnecting(gateway, result);
    // Who has called does not wait, and what it rejects with is told elsewhere.
    return isThenable(result) ? undefined : result;
  } catch (error) {
    connection.addConnecting(gateway, Promise.reject(error as Error));
    return undefined;
  }
}

function disconnect(run: () => unknown, context: GatewayContext): void {
  try {
    const result = run();
    if (!isThenable(result)) return;
    context.track(Promise.resolve(result).catch((error: unknown) => context.failures.log(error)));
  } catch (error) {
    context.failures.log(error);
  }
}

/** Guards that a gateway asks at connect, made by Nest. */
export function connectionGuardsOf(gateway: Gateway, which: OwnOptions["connectionGuards"]): CanActivate[] {
  const prototype = gateway.type.prototype as Record<string, object | undefined>;
  const holders = [
    which === "class" ? gateway.type : undefined,
    prototype[CONNECTION_GUARDS],
    prototype["handleConnection"],
  ];
  return holders.flatMap((holder) => madeOf(gateway, holder, "canActivate")) as CanActivate[];
}

/** A middleware of sockets, as a class. */
export interface SocketMiddlewareClass {
  use(socket: unknown, next: (error?: Error) => void): unknown;
}

/** Middlewares of a gateway's namespace, made by Nest. */
export function socketMiddlewaresOf(gateway: Gateway): SocketMiddlewareClass[] {
  const holder = (gateway.type.prototype as Record<string, object | undefined>)[SOCKET_MIDDLEWARE];
  return madeOf(gateway, holder, "use") as SocketMiddlewareClass[];
}

function madeOf({ type, injectables }: Gateway, holder: object | undefined, method: "canActivate" | "use"): unknown[] {
  if (holder === undefined) return [];
  const given = (Reflect.getMetadata(NEST_KEYS.guards, holder) as readonly unknown[] | undefined) ?? [];
  return given.map((each) => {
    const name = typeof each === "function" ? each.name : String(each);
    const made = typeof each === "function" ? injectables.get(each)?.instance : each;
    if (made === undefined || made === null) {
      throw invalidOption(`${name} of ${type.name} was not made by Nest: scoped providers are not possible at connect`);
    }
    if (typeof (made as Record<string, unknown>)[method] === "function") return made;
    const what = method === "use" ? "middleware of sockets" : "guard";
    throw invalidOption(`${name} of ${type.name} is no ${what}: it has no method ${method}`);
  });
}
