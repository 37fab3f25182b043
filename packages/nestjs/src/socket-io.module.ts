import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  Scope,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type OnModuleDestroy,
  type OnModuleInit,
  type Provider,
} from "@nestjs/common";
import { ApplicationConfig, ModuleRef, ModulesContainer } from "@nestjs/core";
import type { AsyncApiDocument, AsyncApiOptions } from "@plugboard/contract";
import { isDeepStrictEqual } from "node:util";
import { createAsyncApi } from "./async-api.js";
import { checkAsyncOptions, checkExtras, checkFeature } from "./check-options.js";
import { CURRENT_SOCKET, currentSocketProvider } from "./current-socket.js";
import { FirstToClose, FirstToCloseModule } from "./first-to-close.js";
import { madeForSockets, type SocketMiddlewareClass } from "./gateways.js";
import { SocketIoHealthIndicator } from "./health-indicator.js";
import { nestjsError } from "./nestjs-error.js";
import type { SocketIoOptions } from "./options.js";
import { SocketIoAdapter, type ProviderSource } from "./socket-io-adapter.js";
import { injectedNamespaces, namespaceToken, SOCKET_IO_SERVER } from "./tokens.js";

/** What `forRoot` takes besides the options. */
export interface SocketIoModuleExtras {
  /** Whether server and namespaces can be injected in all modules. Default: true. */
  isGlobal?: boolean;
}

/** What `forFeature` takes. */
export interface SocketIoFeature {
  /** Name, `/room-:id` or pattern of the namespaces. Default: `/`. */
  namespace?: string | RegExp;
  /** Classes that Nest makes, asked in this order, before the middlewares and guards of gateways. */
  middleware: readonly (new (...args: never[]) => SocketMiddlewareClass)[];
  /** Modules whose providers the middlewares need. Default: global ones alone. */
  imports?: ModuleMetadata["imports"];
}

interface ConfigurableSocketIoModule {
  new (): object;
  forRoot(options: SocketIoOptions & SocketIoModuleExtras): DynamicModule;
  forRootAsync(options: ConfigurableModuleAsyncOptions<SocketIoOptions> & SocketIoModuleExtras): DynamicModule;
}

const built = new ConfigurableModuleBuilder<SocketIoOptions>({
  // Nest names it to who imports the class alone.
  optionsInjectionToken: "options: import SocketIoModule.forRoot(), not SocketIoModule",
})
  .setClassMethodName("forRoot")
  .setExtras<SocketIoModuleExtras>({ isGlobal: true }, (definition, { isGlobal = true }) => ({
    ...definition,
    global: isGlobal,
    providers: [...(definition.providers ?? []), ...namespaceProviders()],
    exports: [...(definition.exports ?? []), ...injectedNamespaces().map(namespaceToken)],
  }))
  .build();

const Base: ConfigurableSocketIoModule = built.ConfigurableModuleClass as unknown as ConfigurableSocketIoModule;

function namespaceProviders(): Provider[] {
  return injectedNamespaces().map((name) => ({
    provide: namespaceToken(name),
    useFactory: ({ server }: SocketIoAdapter) => server.of(name),
    inject: [SocketIoAdapter],
  }));
}

/** Of the adapters that modules have made. */
const givenOptions = new WeakMap<SocketIoAdapter, SocketIoOptions>();

/** @throws NestjsError with code `SIO_NESTJS_CONFLICTING_OPTIONS` unless it was made with the same options */
function sharedAdapter(first: SocketIoAdapter, options: SocketIoOptions): SocketIoAdapter {
  const one: Record<string, unknown> = { ...givenOptions.get(first) };
  const other: Record<string, unknown> = { ...options };
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const differing = names.filter((name) => !isDeepStrictEqual(one[name], other[name]));
  if (differing.length === 0) return first;
  throw nestjsError(
    "SIO_NESTJS_CONFLICTING_OPTIONS",
    `SocketIoModule is imported with different values of ${differing.map((name) => `"${name}"`).join(", ")}: an application has one adapter, so ` +
      `import SocketIoModule.forRoot() once; gateways with a path of their own say so in @WebSocketGateway({ path })`,
  );
}

function middlewareOf(type: SocketIoFeature["middleware"][number], moduleRef: ModuleRef): SocketMiddlewareClass {
  if (moduleRef.introspect(type as never).scope === Scope.DEFAULT)
    return (moduleRef as unknown as ProviderSource).get(type);
  return madeForSockets({ type, moduleRef: () => moduleRef, isDurable: false });
}

let features = 0;

class SocketIoFeatureModule {}

/**
 * Installs the adapter, with no line in `main.ts`, and provides the server.
 *
 * ```ts
 * imports: [SocketIoModule.forRoot({ cors: { origin: "https://example.com" } })]
 * ```
 */
export class SocketIoModule extends Base implements OnModuleInit, OnModuleDestroy {
  readonly #adapter: SocketIoAdapter;

  constructor(adapter: SocketIoAdapter, first: FirstToClose, modules: ModulesContainer) {
    super();
    this.#adapter = adapter;
    if (adapter.closesEarly) first.start(modules, () => adapter.dispose());
  }

  /** @param options - those of the adapter */
  static override forRoot(options: SocketIoOptions & SocketIoModuleExtras = {}): DynamicModule {
    checkExtras(options);
    return super.forRoot(options);
  }

  /**
   * @param options - `useFactory` with `inject` and `imports`, `useClass` or `useExisting`, and `isGlobal`
   * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for others
   */
  static override forRootAsync(
    options: ConfigurableModuleAsyncOptions<SocketIoOptions> & SocketIoModuleExtras,
  ): DynamicModule {
    checkAsyncOptions(options);
    checkExtras(options);
    return super.forRootAsync(options);
  }

  /**
   * Adds middlewares to a namespace, whether or not it has gateways. `forRoot` has to be imported somewhere.
   *
   * @throws NestjsError with code `SIO_NESTJS_INVALID_OPTION` for options that there are not
   */
  static forFeature(feature: SocketIoFeature): DynamicModule {
    checkFeature(feature);
    const { namespace, middleware, imports } = feature;
    return {
      module: SocketIoFeatureModule,
      ...(imports !== undefined && { imports }),
      providers: [
        ...middleware,
        {
          // Nest 10 takes modules with equal providers for one.
          provide: `SocketIoModule.forFeature(), which needs forRoot(): ${++features}`,
          // One with a scope would be made too late if it were injected here.
          useFactory: (adapter: SocketIoAdapter, moduleRef: ModuleRef) => {
            adapter.addMiddlewares(namespace, () => middleware.map((type) => middlewareOf(type, moduleRef)));
          },
          inject: [SocketIoAdapter, ModuleRef],
        },
      ],
    };
  }

  /**
   * Describes the events that gateways handle by `@WsEvent`, and those that the server sends by their contracts.
   *
   * @param app - the application, which need not be initialised
   * @param options - `{ title, version, description?, servers?, toJsonSchema? }`
   * @returns an AsyncAPI 3 document, ready for `JSON.stringify`
   * @throws Error when two contracts of a namespace give one event different schemas; EventError with code
   * `SIO_NO_JSON_SCHEMA` for a schema that has no JSON Schema
   */
  static createAsyncApi(app: ProviderSource, options: AsyncApiOptions): AsyncApiDocument {
    return createAsyncApi(app, options);
  }

  onModuleInit(): void {
    this.#adapter.checkWork();
  }

  async onModuleDestroy(): Promise<void> {
    if (this.#adapter.closesEarly) await this.#adapter.dispose();
  }
}

// Written out instead of decorators: the build emits no metadata of types.
Inject(SocketIoAdapter)(SocketIoModule, undefined, 0);
Inject(FirstToClose)(SocketIoModule, undefined, 1);
Inject(ModulesContainer)(SocketIoModule, undefined, 2);
Module({
  imports: [FirstToCloseModule],
  providers: [
    {
      provide: SocketIoAdapter,
      useFactory: (config: ApplicationConfig, moduleRef: ModuleRef, options: SocketIoOptions) => {
        const app = moduleRef as unknown as ProviderSource;
        const first = SocketIoAdapter.of(app);
        if (first !== undefined) return sharedAdapter(first, options);
        const adapter = new SocketIoAdapter(app, options);
        givenOptions.set(adapter, options);
        config.setIoAdapter(adapter as unknown as Parameters<ApplicationConfig["setIoAdapter"]>[0]);
        return adapter;
      },
      inject: [ApplicationConfig, ModuleRef, built.MODULE_OPTIONS_TOKEN],
    },
    currentSocketProvider,
    { provide: SOCKET_IO_SERVER, useFactory: ({ server }: SocketIoAdapter) => server, inject: [SocketIoAdapter] },
    {
      provide: SocketIoHealthIndicator,
      useFactory: (adapter: SocketIoAdapter) => new SocketIoHealthIndicator(adapter),
      inject: [SocketIoAdapter],
    },
  ],
  exports: [SocketIoAdapter, SOCKET_IO_SERVER, CURRENT_SOCKET, SocketIoHealthIndicator],
})(SocketIoModule);
Module({})(SocketIoFeatureModule);
