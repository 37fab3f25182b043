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

/**
 * What the gateways of one server say about it, together.
 *
 * @throws Error when two say something different, with the names of both
 */
export function serverOptionsOf(gateways: readonly Gateway[]): Partial<ServerOptions> {
  const all: Record<string, unknown> = {};
  const saidBy = new Map<string, string>();
  for (const { type, options } of gateways) {
    const { namespace: _namespace, ...said } = options;
    for (const [name, value] of Object.entries(said)) {
      const first = saidBy.get(name);
      if (first !== undefined && !isDeepStrictEqual(all[name], value)) {
        throw new Error(
          `${first} and ${type.name} share a Socket.IO server, and give its option "${name}" different values: ` +
            `give it once, or each of them a path of its own (SIO_NESTJS_CONFLICTING_OPTIONS)`,
        );
      }
      all[name] = value;
      if (first === undefined) saidBy.set(name, type.name);
    }
  }
  return all;
}

/** Puts our filter behind those of a gateway and something around its hooks, before Nest looks at either. */
export function prepareGateway(gateway: Gateway, context: GatewayContext): void {
  const { prototype } = gateway.type as unknown as { prototype: object };
  addEnhancers(gateway.type, context);
  if (!context.options.compatAcks) watchFilters(gateway.type, prototype);
  wrapHook(prototype, "afterInit", false, context);
  // Of scoped ones Nest calls them in any case, and where they are missing nobody hears of an instance that cannot be made.
  for (const name of ["handleConnection", "handleDisconnect"]) wrapHook(prototype, name, gateway.isScoped, context);
}

/** What the preparation of gateways needs to know, and what their `afterInit` reports to. */
export interface GatewayContext {
  readonly options: OwnOptions;
  readonly config: ApplicationConfig;
  readonly failures: EventFailures;
  onInitFailed(error: unknown): void;
}

/** Whether Nest applies global guards, pipes and interceptors to gateways itself: since 12, which brought this class. */
const hasGlobals = "StandardSchemaValidationPipe" in common;
const lastFilter = new LastFilter();

/** Those of the application, before those of the class. Nest asks the filters of a class from the last to the first. */
function addEnhancers(type: GatewayClass, { options, config }: GatewayContext): void {
  const addsGlobals = options.globalEnhancers && !hasGlobals;
  prepend(type, NEST_KEYS.guards, addsGlobals ? config.getGlobalGuards() : []);
  prepend(type, NEST_KEYS.pipes, addsGlobals ? config.getGlobalPipes() : []);
  prepend(type, NEST_KEYS.interceptors, addsGlobals ? config.getGlobalInterceptors() : []);
  const globalFilters = options.globalFilters ? config.getGlobalFilters() : [];
  prepend(type, NEST_KEYS.filters, options.compatAcks ? globalFilters : [lastFilter, ...globalFilters]);
}

/** What decorators have said of classes, by key: a class may serve one application after the other, as it does in tests. */
const declared = new WeakMap<object, Map<string, readonly unknown[]>>();

/** Puts these, and none that an earlier application has put there, before what decorators say of a class. */
function prepend(type: GatewayClass, key: string, values: readonly unknown[]): void {
  const given = declaredOf(type, key);
  if (values.length === 0 && !declared.get(type)?.has(key)) return;
  declared.set(type, (declared.get(type) ?? new Map<string, readonly unknown[]>()).set(key, given));
  Reflect.defineMetadata(key, [...values, ...given.filter((value) => !values.includes(value))], type);
}

function declaredOf(type: object, key: string): readonly unknown[] {
  const own = declared.get(type)?.get(key) ?? (Reflect.getOwnMetadata(key, type) as readonly unknown[] | undefined);
  if (own !== undefined) return own;
  const parent: object | null = Object.getPrototypeOf(type);
  return parent === null ? [] : declaredOf(parent, key);
}

function watchFilters(type: GatewayClass, prototype: object): void {
  for (const holder of [type, ...methodsOf(prototype)]) {
    const filters = Reflect.getMetadata(NEST_KEYS.filters, holder) as readonly unknown[] | undefined;
    for (const filter of filters ?? []) watchFilter(filter);
  }
}

type Hook = (this: object, ...args: unknown[]) => unknown;

/** Of hooks, those that we have put something around. */
const wrappedHooks = new WeakSet<object>();
/** A class may serve several applications, in tests: `afterInit` is that of the one that came last. */
const contexts = new WeakMap<object, GatewayContext>();

/** Nest neither awaits a hook nor catches what it throws. */
function wrapHook(prototype: object, name: string, isScoped: boolean, context: GatewayContext): void {
  const original = (prototype as Record<string, Hook | undefined>)[name] ?? (isScoped ? () => {} : undefined);
  if (original === undefined) return;
  contexts.set(prototype, context);
  if (wrappedHooks.has(original)) return;
  const wrapped: Hook = function (...args) {
    const run = (): unknown => original.apply(this, args);
    if (name === "afterInit") return containInit(run, contexts.get(prototype) ?? context);
    const connection = Connection.of(args[0]);
    // Called by the program itself: none of our business.
    if (connection === undefined) return run();
    return inSocketContext(connection.socket, () => {
      if (name === "handleConnection") return connection.connecting(prototype, this, original, run);
      return connection.disconnecting(() => original.apply(this, withReason(original, args, connection.reason)));
    });
  };
  // Guards and the like are kept on the function.
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapped);
  }
  Object.defineProperty(wrapped, "name", { value: name });
  wrappedHooks.add(wrapped);
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
      throw new Error(`${name} of ${type.name} was not made by Nest: scoped providers are not possible at connect`);
    }
    if (typeof (made as Record<string, unknown>)[method] === "function") return made;
    const what = method === "use" ? "middleware of sockets" : "guard";
    throw new Error(`${name} of ${type.name} is no ${what}: it has no method ${method} (SIO_NESTJS_INVALID_OPTION)`);
  });
}
