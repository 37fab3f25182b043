import * as common from "@nestjs/common";
import type { CanActivate } from "@nestjs/common";
import type { ApplicationConfig, ModulesContainer } from "@nestjs/core";
import type { ServerOptions, Socket } from "@plugboard/server";
import { isDeepStrictEqual } from "node:util";
import { isObservable, lastValueFrom } from "rxjs";
import { Connection } from "./connection.js";
import { inSocketContext } from "./current-socket.js";
import type { EventFailures } from "./event-failures.js";
import { LastFilter, watchFilter } from "./filters.js";
import { methodsOf, namedMethodsOf } from "./methods-of.js";
import { NEST_KEYS } from "./nest-keys.js";
import { nestjsError, invalidOption } from "./nestjs-error.js";
import type { OwnOptions } from "./options.js";
import { instanceFor, providerOf, type ScopedProvider, type ScopedWrapper } from "./scoped-instances.js";
import { onInstance, redirectEnhancer, standInFor, type Method } from "./scoped-methods.js";
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
  /** There is an instance for each socket then, made later than Nest calls those of which there is one. */
  readonly scope: ScopedProvider | undefined;
  readonly wrapper: ScopedWrapper;
  /** Of its module: what guards and middlewares Nest has made for it. */
  readonly injectables: ReadonlyMap<unknown, ScopedWrapper>;
  readonly module: Module;
}

type Module = Parameters<typeof providerOf>[2];

/** The gateways of all modules, each class once. */
export function findGateways(modules: ModulesContainer): Gateway[] {
  const found = new Map<GatewayClass, Gateway>();
  for (const module of modules.values()) {
    const { providers, injectables } = module;
    for (const wrapper of providers.values()) {
      const { metatype, isNotMetatype } = wrapper;
      if (typeof metatype !== "function" || isNotMetatype || found.has(metatype as GatewayClass)) continue;
      const options = Reflect.getMetadata(NEST_KEYS.gatewayOptions, metatype) as GatewayOptions | undefined;
      if (options === undefined) continue;
      const port = (Reflect.getMetadata(NEST_KEYS.port, metatype) as number | undefined) ?? 0;
      const type = metatype as GatewayClass;
      const scope = wrapper.isDependencyTreeStatic() ? undefined : providerOf(type, wrapper, module);
      found.set(type, { type, port, options, scope, wrapper, injectables, module });
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

/** Puts our filter behind those of a gateway and something around its hooks, before Nest looks at either. */
export function prepareGateway(gateway: Gateway, context: GatewayContext): void {
  const { prototype } = gateway.type as unknown as { prototype: object };
  addEnhancers(gateway.type, context);
  if (!context.options.compatAcks) watchFilters(gateway.type, prototype);
  wrapHook(prototype, "afterInit", false, context);
  const isScoped = gateway.scope !== undefined;
  if (isScoped) prepareScoped(gateway, prototype);
  for (const name of ["handleConnection", "handleDisconnect"]) wrapHook(prototype, name, isScoped, context);
}

/** Before Nest 12 it calls what it has made without dependencies: that is led to the instance for the socket. */
function prepareScoped({ scope, wrapper, injectables, module }: Gateway, prototype: object): void {
  if (scope === undefined) return;
  standInFor(scope, wrapper);
  for (const [type, injectable] of injectables) {
    if (injectable.isDependencyTreeStatic()) continue;
    redirectEnhancer(providerOf(type as GatewayClass, injectable, module), injectable);
  }
  for (const [name, method] of namedMethodsOf(prototype)) {
    const isOverridden = (prototype as Record<string, unknown>)[name] !== method;
    if (isOverridden || !Reflect.hasMetadata(NEST_KEYS.pattern, method)) continue;
    replaceMethod(prototype, name, method as Method, onInstance(method as Method));
  }
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

/** Methods of gateways that we have put in the place of others, with those. */
const prepared = new WeakMap<object, Method>();
/** A class may serve several applications, in tests: `afterInit` is that of the one that came last. */
const contexts = new WeakMap<object, GatewayContext>();

/** Nest neither awaits a hook nor catches what it throws. */
function wrapHook(prototype: object, name: string, isScoped: boolean, context: GatewayContext): void {
  const found = (prototype as Record<string, Method | undefined>)[name];
  // Of an earlier application, or of a gateway that this one extends: what stands there calls itself that one.
  const known = found && prepared.get(found);
  // Of scoped ones Nest calls them in any case, and where they are missing nobody hears of an instance that cannot be made.
  const given = known ?? found ?? (isScoped ? () => {} : undefined);
  if (given === undefined) return;
  contexts.set(prototype, context);
  if (known !== undefined && Object.hasOwn(prototype, name)) return;
  const original = isScoped ? onInstance(given) : given;
  const wrapped: Method = function (...args) {
    const run = (): unknown => original.apply(this, args);
    if (name === "afterInit") return containInit(run, contexts.get(prototype) ?? context);
    const connection = Connection.of(args[0]);
    // Called by the program itself: none of our business.
    if (connection === undefined) return run();
    return inSocketContext(connection.socket, () => {
      if (name === "handleConnection") return connection.connecting(prototype, this, given, run);
      return connection.disconnecting(() => original.apply(this, withReason(given, args, connection.reason)));
    });
  };
  replaceMethod(prototype, name, given, wrapped);
}

function replaceMethod(prototype: object, name: string, original: Method, wrapped: Method): void {
  if (prepared.has(original)) return;
  // Guards and the like are kept on the function.
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapped);
  }
  Object.defineProperty(wrapped, "name", { value: name });
  prepared.set(wrapped, original);
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

function madeOf(gateway: Gateway, holder: object | undefined, method: "canActivate" | "use"): unknown[] {
  const { type, injectables, module } = gateway;
  if (holder === undefined) return [];
  const given = (Reflect.getMetadata(NEST_KEYS.guards, holder) as readonly unknown[] | undefined) ?? [];
  return given.map((each) => {
    const name = typeof each === "function" ? each.name : String(each);
    const wrapper = injectables.get(each);
    const made = typeof each === "function" ? wrapper?.instance : each;
    if (made === undefined || made === null) throw invalidOption(`${name} of ${type.name} was not made by Nest`);
    if (typeof (made as Record<string, unknown>)[method] !== "function") {
      const what = method === "use" ? "middleware of sockets" : "guard";
      throw invalidOption(`${name} of ${type.name} is no ${what}: it has no method ${method}`);
    }
    const isShared = wrapper === undefined || (wrapper.isDependencyTreeStatic() && !wrapper.isTransient);
    return isShared ? made : madeForSockets(providerOf(each as GatewayClass, wrapper, module));
  });
}

/** Stands for the guards or middlewares that are made for each socket. */
export function madeForSockets(provider: ScopedProvider): CanActivate & SocketMiddlewareClass {
  return {
    async canActivate(context) {
      const guard = await instanceFor(context.switchToWs().getClient<Socket>(), provider);
      const result = (guard as CanActivate).canActivate(context);
      return isObservable(result) ? lastValueFrom(result) : result;
    },
    async use(socket, next) {
      const middleware = await instanceFor(socket as Socket, provider);
      await (middleware as SocketMiddlewareClass).use(socket, next);
    },
  };
}
