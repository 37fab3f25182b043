import { Logger, Module } from "@nestjs/common";
import { ApplicationConfig, HttpAdapterHost, ModulesContainer, NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import type { Server, ServerOptions } from "@plugboard/server";
import { createServer } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  AckTimeout,
  createTestClient,
  InjectNamespace,
  InjectServer,
  InjectSocket,
  SocketIoAdapter,
  SocketIoModule,
  SocketMiddleware,
  UseConnectionGuards,
  type SocketIoOptions,
} from "./index.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** What an adapter asks of an application without modules. */
function application(httpAdapter?: object) {
  const parts = new Map<unknown, unknown>([
    [ModulesContainer, new ModulesContainer()],
    [ApplicationConfig, new ApplicationConfig()],
    [HttpAdapterHost, { httpAdapter }],
  ]);
  return { get: <T>(token: unknown) => parts.get(token) as T };
}

/** What an adapter asks of a platform. */
function withHttpServer() {
  const httpServer = createServer();
  return { httpAdapter: { getHttpServer: () => httpServer }, close: () => void httpServer.close() };
}

/** Why an application does not start. */
async function failure(metadata: Parameters<typeof Module>[0]): Promise<Error & { code?: unknown }> {
  class AppModule {}
  Module(metadata)(AppModule);
  try {
    await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  } catch (error) {
    return error as Error;
  }
  throw new Error("it has started");
}

/** A decorator of its first parameter makes it a class that Nest injects something into. */
function provider(decorator: ParameterDecorator): new () => object {
  class Wanting {}
  decorator(Wanting, undefined, 0);
  return Wanting;
}

describe("a mistake in the options", () => {
  it.each<[object, string]>([
    [{ corss: {} }, 'there is no option "corss" of @plugboard/nestjs (did you mean "cors"?)'],
    [{ namespace: "chat" }, 'there is no option "namespace"'],
    [{ ack: "compat" }, '(did you mean "acks"?)'],
    [{ acks: "compatibility" }, 'acks has to be an object of options or "compat", and is "compatibility"'],
    [{ acks: { error: "both" } }, 'no option "error" of acks (did you mean "errors"?)'],
    [{ acks: { errors: "all" } }, 'acks.errors has to be "ack" or "event" or "both", and is "all"'],
    [{ acks: { observable: "every" } }, 'acks.observable has to be "first" or "last" or "all"'],
    [{ acks: { format: "json" } }, "acks.format has to be a function"],
    [{ mapHttpExceptions: "false" }, 'mapHttpExceptions has to be true or false, and is "false"'],
    [{ includeCause: 1 }, "includeCause has to be true or false"],
    [{ awaitConnection: null }, "awaitConnection has to be true or false, and is null"],
    [{ connectionTimeout: Number.NaN }, "connectionTimeout has to be a number of milliseconds"],
    [{ maxWaitingEvents: -1 }, "maxWaitingEvents has to be a whole number"],
    [{ handlerTimeout: "30s" }, "handlerTimeout has to be a number of milliseconds"],
    [{ path: "ws" }, 'path has to be a path such as "/socket.io", and is "ws"'],
    [{ pingInterval: "25000" }, 'pingInterval has to be a number, and is "25000"'],
    [{ transports: "websocket" }, 'transports has to be an array such as ["websocket"]'],
    [{ adapter: {} }, "adapter has to be a function, and is an object"],
    [{ concurrency: 0 }, "concurrency has to be a whole number from 1 on, and is 0"],
    [{ unknownEvents: "ack" }, 'unknownEvents has to be "ignore" or "ack-error", and is "ack"'],
    [{ rateLimit: { event: {} } }, 'no option "event" of rateLimit (did you mean "events"?)'],
    [{ rateLimit: { events: { onLimt: "disconnect" } } }, 'of rateLimit.events (did you mean "onLimit"?)'],
    [{ rateLimit: { events: { by: "ip" } } }, 'rateLimit.events.by has to be "socket" or "user" or "address" or'],
    [{ rateLimit: { handshake: { by: "user" } } }, 'rateLimit.handshake.by has to be "address" or a function'],
    [{ handshake: "express" }, 'handshake has to be "app" or "direct"'],
    [{ connectionGuards: true }, 'connectionGuards has to be "own" or "class", and is true'],
    [{ globalEnhancers: "yes" }, "globalEnhancers has to be true or false"],
    [{ globalFilters: [] }, "globalFilters has to be true or false, and is an array"],
    [{ hmr: {} }, "hmr has to be true or false, and is an object"],
    [{ session: true }, "session has to be an object of options or false, and is true"],
    [{ session: { onend: "ignore" } }, '(did you mean "onEnd"?)'],
    [{ shutdown: { timeout: Infinity } }, "shutdown.timeout has to be a number of milliseconds up to 2147483647"],
    [{ shutdown: { phase: "early" } }, 'shutdown.phase has to be "dispose" or "moduleDestroy" or "beforeShutdown"'],
    [[], "have to be an object, and are an array"],
  ])("is refused, with what would be right: %j", (options, advice) => {
    const make = (): SocketIoAdapter => new SocketIoAdapter(application(), options);
    expect(make).toThrow(expect.objectContaining({ name: "NestjsError", code: "SIO_NESTJS_INVALID_OPTION" }));
    expect(make).toThrow(advice);
  });

  it.each<SocketIoOptions>([
    { acks: "compat", session: false, concurrency: 1, connectionTimeout: 0, maxWaitingEvents: 0 },
    { acks: { errors: "both", observable: "all", format: () => 1 }, shutdown: { timeout: 0, phase: "beforeShutdown" } },
    { rateLimit: { events: { points: 1, duration: 1, by: "user" }, handshake: { points: 1, duration: 1 } } },
    { session: { onEnd: "ignore", touchEveryMs: 0 }, cors: { origin: "*" }, path: "/ws", handlerTimeout: Infinity },
  ])("is not seen where there is none: %j", (options) => {
    expect(() => new SocketIoAdapter(application(), options)).not.toThrow();
  });

  it("is refused in decorators", () => {
    expect(() => AckTimeout("1s" as never)).toThrow("@AckTimeout has to be a number of milliseconds");
    expect(() => UseConnectionGuards()).toThrow("lets everybody in");
    const middleware = (_socket: unknown, next: () => void): void => next();
    expect(() => SocketMiddleware(middleware as never)).toThrow("takes classes with a method use(socket, next)");
    expect(() => SocketMiddleware(undefined as never)).toThrow("takes classes with a method use(socket, next)");
  });

  it("is refused in what forRoot takes besides the options", () => {
    expect(() => SocketIoModule.forRoot({ isGlobal: "no" as never })).toThrow("isGlobal has to be true or false");
  });

  it.each<[object, string]>([
    [{ nameSpace: "chat", middleware: [] }, '(did you mean "namespace"?)'],
    [{ namespace: "chat" }, "forFeature.middleware has to be an array of classes"],
    [{ namespace: ["chat"], middleware: [] }, "forFeature.namespace has to be a name or a pattern"],
  ])("is refused in forFeature: %j", (feature, advice) => {
    expect(() => SocketIoModule.forFeature(feature as never)).toThrow(advice);
  });

  it("is told at the start when a middleware of forFeature is none", async () => {
    class Nothing {}
    const feature = SocketIoModule.forFeature({ middleware: [Nothing as never] });
    const error = await failure({ imports: [SocketIoModule.forRoot(), feature] });
    expect(error.message).toContain("Nothing is no middleware of sockets: it has no method use");
  });

  it("is refused in a client of a test that has no namespace", async () => {
    await expect(createTestClient(application() as never, { auth: {} } as never)).rejects.toMatchObject({
      code: "SIO_NESTJS_INVALID_OPTION",
    });
  });

  it("is told at the start, with its code in the message, which is all that Nest prints", async () => {
    const error = await failure({ imports: [SocketIoModule.forRoot({ corss: {} } as object)] });
    expect(error.message).toMatch(/"cors".*\(SIO_NESTJS_INVALID_OPTION\)/);
  });

  it.each<[object, string]>([
    [{ useFactory: () => ({}), cors: {} }, 'the option "cors" of forRootAsync belongs to what useFactory returns'],
    [{ useFactroy: () => ({}) }, '(did you mean "useFactory"?)'],
    [{ inject: [] }, "forRootAsync needs one of useFactory, useClass, useExisting"],
  ])("is refused in forRootAsync: %j", (options, advice) => {
    expect(() => SocketIoModule.forRootAsync(options)).toThrow(advice);
  });

  it("is refused in what a factory returns", async () => {
    const useFactory = (): object => ({ unknownEvent: "ack-error" });
    const error = await failure({ imports: [SocketIoModule.forRootAsync({ useFactory })] });
    expect(error).toMatchObject({ code: "SIO_NESTJS_INVALID_OPTION" });
  });

  it("is a warning in those of a gateway, which other adapters have let pass", async () => {
    const warn = vi.spyOn(Logger.prototype, "warn").mockImplementation(() => {});
    class Chat {
      hear(): void {}
    }
    SubscribeMessage("x")(Chat.prototype, "hear", Object.getOwnPropertyDescriptor(Chat.prototype, "hear")!);
    WebSocketGateway({ transport: ["websocket"] } as object)(Chat);
    class News {}
    WebSocketGateway({ acks: "compat", namespace: "news" } as object)(News);
    class AppModule {}
    Module({ imports: [SocketIoModule.forRoot()], providers: [Chat, News] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    app.get(SocketIoAdapter).forceCloseConnections = false;
    expect(warn.mock.calls).toEqual([
      [
        'there is no option "transport" of Chat (did you mean "transports"?): it does nothing (SIO_NESTJS_INVALID_OPTION)',
      ],
      [expect.stringContaining('the option "acks" of News does nothing: it goes to SocketIoModule.forRoot()')],
    ]);
    await app.close();
  });
});

describe("an application", () => {
  it("is what an adapter needs, and not its HTTP server", () => {
    expect(() => new SocketIoAdapter({} as never)).toThrow(
      expect.objectContaining({ code: "SIO_NESTJS_INVALID_OPTION" }),
    );
  });

  it("does not start with an adapter that has what only IoAdapter calls", () => {
    class Mapping extends SocketIoAdapter {
      mapPayload(): void {}
    }
    expect(() => new Mapping(application())).toThrow("nobody calls mapPayload of Mapping");
  });

  it("has the server that its adapter makes, unless that gives other options to one that is in use", () => {
    const { httpAdapter, close } = withHttpServer();
    class Configured extends SocketIoAdapter {
      override createIOServer(port: number, options?: Partial<ServerOptions>): Server {
        return super.createIOServer(port, { ...options, connectTimeout: 1234 });
      }
    }
    const adapter = new Configured(application(httpAdapter), { handshake: "direct" });
    expect(adapter.create(0)).toBe(adapter.server);
    expect(adapter.server.connectTimeout()).toBe(1234);

    const late = new Configured(application(httpAdapter), { handshake: "direct" });
    expect(late.server.connectTimeout()).toBe(45_000);
    expect(() => late.create(0)).toThrow(
      expect.objectContaining({
        code: "SIO_NESTJS_CONFLICTING_OPTIONS",
        message: expect.stringContaining('"connectTimeout"') as string,
      }),
    );
    close();
  });

  it("has the module, if it is to close early", () => {
    const adapter = new SocketIoAdapter(application(), { shutdown: { phase: "moduleDestroy" } });
    expect(() => (adapter.forceCloseConnections = false)).toThrow("is for SocketIoModule.forRoot()");
  });

  it("reads what to import where it imports the class alone", async () => {
    expect((await failure({ imports: [SocketIoModule] })).message).toContain("import SocketIoModule.forRoot(), not");
  });

  it("has one adapter, whose options no second forRoot changes", async () => {
    const error = await failure({
      imports: [SocketIoModule.forRoot({ path: "/a" }), SocketIoModule.forRoot({ path: "/b" })],
    });
    expect(error).toMatchObject({ code: "SIO_NESTJS_CONFLICTING_OPTIONS" });
    expect(error.message).toContain('with different values of "path"');
  });

  it("says of its server what its gateways say, or does not start: an option of one of them would open what it has closed", async () => {
    class Chat {}
    WebSocketGateway({ cors: true })(Chat);
    const start = (options: SocketIoOptions) =>
      failure({ imports: [SocketIoModule.forRoot(options)], providers: [Chat] });
    const error = await start({ cors: { origin: "https://shop.example" } });
    expect(error).toMatchObject({ code: "SIO_NESTJS_CONFLICTING_OPTIONS" });
    expect(error.message).toMatch(/SocketIoModule.forRoot.* and Chat .* "cors"/);
    for (const options of [{ cors: true }, { cors: undefined, pingInterval: 1000 }, { path: "/socket.io/" }]) {
      expect(await start(options as SocketIoOptions).catch(String)).toBe("Error: it has started");
    }
  });

  it("shares it where forRoot is imported twice with the same options", async () => {
    class AppModule {}
    const [one, other] = [SocketIoModule.forRoot({ path: "/a" }), SocketIoModule.forRoot({ path: "/a" })];
    class Feature {
      readonly io: unknown;
      constructor(io: unknown) {
        this.io = io;
      }
    }
    InjectServer()(Feature, undefined, 0);
    class FeatureModule {}
    Module({ imports: [other], providers: [Feature] })(FeatureModule);
    Module({ imports: [one, FeatureModule] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    expect(app.get(Feature, { strict: false }).io).toBe(SocketIoAdapter.of(app)!.server);
    await app.close();
  });

  it("has no second adapter beside that of the module", () => {
    const app = application();
    new SocketIoAdapter(app);
    expect(() => new SocketIoAdapter(app)).toThrow(expect.objectContaining({ code: "SIO_NESTJS_TWO_ADAPTERS" }));
  });

  it("is not left with a server that nobody can reach when another adapter takes its place", () => {
    const adapter = new SocketIoAdapter(application({}));
    expect(() => adapter.checkWork()).toThrow(expect.objectContaining({ code: "SIO_NESTJS_TWO_ADAPTERS" }));
  });

  it("without gateways is told so, once, unless it is one without HTTP", () => {
    const warn = vi.spyOn(Logger.prototype, "warn").mockImplementation(() => {});
    for (const httpAdapter of [{}, undefined]) {
      const app = application(httpAdapter);
      const adapter = new SocketIoAdapter(app);
      app.get<ApplicationConfig>(ApplicationConfig).setIoAdapter(adapter as never);
      adapter.checkWork();
      adapter.checkWork();
    }
    expect(warn.mock.calls).toEqual([[expect.stringContaining("(SIO_NESTJS_NO_GATEWAY)")]]);
  });

  it.each<[string, ParameterDecorator]>([
    ["@InjectServer", InjectServer() as ParameterDecorator],
    ["@InjectNamespace", InjectNamespace("chat") as ParameterDecorator],
    ["@InjectSocket", InjectSocket() as ParameterDecorator],
  ])("without the module reads what to import for %s", async (_name, decorator) => {
    expect((await failure({ providers: [provider(decorator)] })).message).toContain("import SocketIoModule.forRoot()");
  });
});
