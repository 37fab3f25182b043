/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// One application for each case, all in one process; says of each where it listens.
import "reflect-metadata";
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Injectable,
  Module,
  Scope,
  UnauthorizedException,
  UseFilters,
  UseGuards,
} from "@nestjs/common";
import { APP_INTERCEPTOR, NestFactory, REQUEST, SerializedGraph } from "@nestjs/core";
import { MessagePattern, Server as MicroserviceServer } from "@nestjs/microservices";
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
} from "@nestjs/websockets";
import { SocketIoAdapter, SocketIoMetrics, SocketIoModule, UseConnectionGuards } from "@plugboard/nestjs";
import { lastValueFrom, of } from "rxjs";
import { map } from "rxjs/operators";
import { createPlatform, haveBothAddressesOfLocalhost, listen, urlOf } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

/** Each application has classes of its own, for what decorators say of a class holds in all. */
function eventGateway(options: any = {}, port = 0): any {
  @WebSocketGateway(port, options)
  class EventGateway {
    @SubscribeMessage("echo") echo(@MessageBody() body: unknown) {
      return body;
    }
    @SubscribeMessage("ws") ws() {
      throw new WsException("not like that");
    }
    @SubscribeMessage("http") http(@MessageBody() status: number) {
      throw new HttpException("no", status);
    }
    @SubscribeMessage("range") range() {
      throw new RangeError("too far");
    }
    @SubscribeMessage("event-error") eventError() {
      throw Object.assign(new Error("sold out"), { name: "EventError", code: "SOLD_OUT", data: { left: 0 } });
    }
    @SubscribeMessage("values") values() {
      return of(1, 2, 3);
    }
    @SubscribeMessage("none") none() {
      return of();
    }
    @SubscribeMessage("url") url(@ConnectedSocket() { request, handshake }: any) {
      return [request.url, handshake.url].map((url: string) => url.split("?")[0]);
    }
    @SubscribeMessage("drop") drop(@ConnectedSocket() client: any) {
      adapters.get("close-client")?.closeClient(client);
    }
  }
  return EventGateway;
}

const adapters = new Map<string, SocketIoAdapter>();

async function create(
  name: string,
  metadata: any,
  options: any = {},
  factoryOptions: any = {},
  Adapter = SocketIoAdapter,
): Promise<any> {
  const { configure, ...ofModule } = metadata;
  @Module(ofModule)
  class AppModule {
    configure(consumer: any) {
      configure?.(consumer);
    }
  }
  const { forceCloseConnections = false } = factoryOptions;
  const platform = await createPlatform(PLATFORM, { forceCloseConnections });
  const app: any = await NestFactory.create(AppModule, platform, { logger: ["error"], ...factoryOptions });
  const adapter = new Adapter(app, options);
  adapters.set(name, adapter);
  app.useWebSocketAdapter(adapter);
  return app;
}

async function serve(name: string, app: any, host = "127.0.0.1"): Promise<void> {
  await app.listen(0, host);
  console.log(`at ${name} ${new URL(urlOf(app)).port}`);
}

const plain: Record<string, object> = {
  default: {},
  "errors-event": { acks: { errors: "event" } },
  "errors-both": { acks: { errors: "both" } },
  last: { acks: { observable: "last" } },
  all: { acks: { observable: "all" } },
  format: {
    acks: {
      format: (error: Error, answer: any, { socket, event, args }: any) =>
        error instanceof RangeError ? undefined : { was: answer.code, of: event, with: args, by: socket.id },
    },
  },
  cause: { includeCause: true },
  unmapped: { mapHttpExceptions: false },
  "close-client": {},
};
for (const [name, options] of Object.entries(plain)) {
  await serve(name, await create(name, { providers: [eventGateway()] }, options));
}

const crossOrigin = await create(
  "cors",
  { providers: [eventGateway()] },
  { cors: { origin: "http://sockets.example" } },
);
crossOrigin.enableCors({ origin: "http://pages.example", credentials: true });
await serve("cors", crossOrigin);

// Global guards, pipes, interceptors and filters.

@Catch(RangeError)
class RangeFilter {
  catch(error: Error, host: any) {
    host
      .switchToWs()
      .getClient()
      .emit("exception", { status: "error", message: `global: ${error.message}` });
  }
}
@Injectable()
class ListInterceptor {
  intercept(_context: unknown, next: any) {
    return next.handle().pipe(map((value) => [value]));
  }
}
for (const [name, options] of Object.entries({
  globals: { globalEnhancers: true, globalFilters: true },
  "no-globals": {},
})) {
  const providers = [eventGateway(), { provide: APP_INTERCEPTOR, useClass: ListInterceptor }];
  const app = await create(name, { providers }, options);
  app.useGlobalGuards({ canActivate: (context: any) => context.switchToWs().getData() !== "refuse me" });
  app.useGlobalPipes({ transform: (value: unknown) => `piped ${String(value)}` });
  app.useGlobalFilters(new RangeFilter());
  await serve(name, app);
}

// Guards.

@Injectable()
class TokenGuard {
  canActivate(context: any) {
    const socket = context.switchToWs().getClient();
    (socket.data.patterns ??= []).push(context.getArgs().at(-1));
    return socket.handshake.auth.token === "secret";
  }
}
for (const connectionGuards of ["own", "class"]) {
  @UseGuards(TokenGuard)
  @WebSocketGateway()
  class GuardedGateway {
    @SubscribeMessage("patterns") patterns(@ConnectedSocket() client: any) {
      return client.data.patterns;
    }
  }
  @WebSocketGateway({ namespace: "hook" })
  class HookGateway {
    @UseGuards(TokenGuard)
    handleConnection(client: any) {
      client.data.isConnected = true;
    }
    @SubscribeMessage("data") patterns(@ConnectedSocket() client: any) {
      return client.data;
    }
  }
  const name = `guards-${connectionGuards}`;
  await serve(name, await create(name, { providers: [GuardedGateway, HookGateway] }, { connectionGuards }));
}

// Filters that extend the one of Nest.

@Catch()
class EverythingFilter extends BaseWsExceptionFilter {}

@Catch(HttpException)
class TranslatingFilter extends BaseWsExceptionFilter {
  override catch(error: HttpException, host: any) {
    super.catch(new WsException(`translated ${error.getStatus()}`), host);
  }
}
for (const [name, filter] of [
  ["everything", EverythingFilter],
  ["translated", TranslatingFilter],
] as const) {
  const gateway = eventGateway();
  UseFilters(filter)(gateway);
  await serve(name, await create(name, { providers: [gateway] }));
}

// A port of its own, beside the one of the application.

const port = Number(process.env["OWN_PORT"]);
const ownPort = await create("own-port", { providers: [eventGateway(), eventGateway({ path: "/own" }, port)] });
await serve("own-port", ownPort);
console.log(`at own-port-itself ${port}`);

// The recipe of Nest for servers that need more than options: a class that overrides `createIOServer`.

class RecipeAdapter extends SocketIoAdapter {
  private adapterConstructor: any;
  async connect() {
    const { Adapter } = (await import("socket.io-adapter")) as any;
    this.adapterConstructor = class ConnectedAdapter extends Adapter {};
  }
  override createIOServer(port: number, options?: any): any {
    const server: any = super.createIOServer(port, { ...options, cors: { origin: "https://web.example" } });
    server.adapter(this.adapterConstructor);
    server.engine.use((_req: any, res: any, next: () => void) => {
      res.setHeader("x-recipe", "yes");
      next();
    });
    server.use((socket: any, next: (error?: Error) => void) => {
      next(socket.handshake.auth.refused ? new Error("refused by the recipe") : undefined);
    });
    return server;
  }
}
@WebSocketGateway({ namespace: "rooms" })
class RoomsGateway {
  @SubscribeMessage("adapter") name(@ConnectedSocket() client: any) {
    return client.nsp.adapter.constructor.name;
  }
}
const recipe = await create("recipe", { providers: [eventGateway(), RoomsGateway] }, undefined, {}, RecipeAdapter);
await (adapters.get("recipe") as RecipeAdapter).connect();
await serve("recipe", recipe);

// Middlewares of `configure(consumer)`, in front of a route that takes everything.

@Injectable()
class Stamps {
  next = () => "stamped";
}
@Injectable()
class StampMiddleware {
  constructor(@Inject(Stamps) private readonly stamps: Stamps) {}
  async use(request: any, response: any, next: () => void) {
    await Promise.resolve();
    if (request.headers["x-refuse"]) throw new UnauthorizedException("refused by a middleware");
    (request.raw ?? request).stamp = this.stamps.next();
    response.setHeader("x-stamp", "yes");
    next();
  }
}
@Controller()
class EverythingController {
  @Get("*") everything() {
    return "a page";
  }
}
@WebSocketGateway()
class StampGateway {
  @SubscribeMessage("stamp") stamp(@ConnectedSocket() client: any) {
    return client.request.stamp;
  }
}
const consumer = {
  providers: [Stamps, StampGateway],
  controllers: [EverythingController],
  configure: (consumer: any) =>
    consumer.apply(StampMiddleware, (_req: any, _res: any, next: any) => next()).forRoutes("*"),
};
await serve("consumer", await create("consumer", consumer));
await serve("direct", await create("direct", consumer, { handshake: "direct" }));

// An instance for each socket.

@Injectable({ scope: Scope.REQUEST })
class PerSocket {
  constructor(@Inject(REQUEST) readonly socket: any) {
    if (socket?.handshake.auth.broken) throw new Error("cannot be made");
  }
}
@Injectable({ scope: Scope.REQUEST })
@WebSocketGateway()
class ScopedGateway {
  state = "new";
  constructor(@Inject(PerSocket) private readonly perSocket: PerSocket) {}
  async handleConnection(client: any) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (client.handshake.auth.fail) throw new WsException("not you");
    this.state = "connected";
  }
  @SubscribeMessage("state") tell() {
    return { state: this.state, id: this.perSocket.socket.id };
  }
}
await serve("scoped", await create("scoped", { providers: [PerSocket, ScopedGateway] }));

// Events that come while handleConnection goes on.

@WebSocketGateway()
class StillConnectingGateway {
  handleConnection(client: any) {
    return new Promise((resolve) => client.once("disconnect", resolve));
  }
  @SubscribeMessage("echo") echo(@MessageBody() body: unknown) {
    return body;
  }
}
await serve("no-await", await create("no-await", { providers: [StillConnectingGateway] }, { awaitConnection: false }));

// A hybrid application: HTTP, sockets and messages of a transport.

class LoopTransport extends MicroserviceServer {
  listen(done: () => void) {
    done();
  }
  close() {}
  on() {}
  unwrap(): any {}
  async ask(pattern: string, data: unknown) {
    return lastValueFrom(this.transformToObservable(await this.getHandlerByPattern(pattern)?.(data)) as any);
  }
}
const transport = new LoopTransport();
@Controller()
class MessageController {
  @MessagePattern("double") double(value: number) {
    return value * 2;
  }
}
@WebSocketGateway()
class HybridGateway {
  @SubscribeMessage("double") double(@MessageBody() value: number) {
    return transport.ask("double", value);
  }
}
const createHybrid = async (name: string, inheritAppConfig: boolean): Promise<any> => {
  const hybrid = await create(name, { controllers: [MessageController], providers: [HybridGateway] });
  hybrid.connectMicroservice({ strategy: transport }, { inheritAppConfig });
  await hybrid.startAllMicroservices();
  return hybrid;
};
await serve("hybrid", await createHybrid("hybrid", true));
const closed = await createHybrid("hybrid-closed", false);
await serve("hybrid-closed", closed);
await closed.close();
console.log(`hybrid serves ${adapters.get("hybrid-closed")?.isServing}`);

// Both addresses of localhost, which not every container has.

haveBothAddressesOfLocalhost();
const local = await create("localhost", { providers: [eventGateway()] });
await serve("localhost", local, "localhost");

// Preview mode: nothing is served.

const preview = await create("preview", { providers: [eventGateway()] }, {}, { preview: true });
await preview.init();
console.log(`preview serves ${adapters.get("preview")?.isServing}`);
await preview.close();

// The graph of the application, as tools of Nest read it.

@Injectable({ scope: Scope.REQUEST })
@WebSocketGateway({ namespace: "scoped" })
class ScopedEchoGateway {
  @SubscribeMessage("scoped echo") echo(@MessageBody() body: unknown) {
    return body;
  }
}
const snapshotProviders = { providers: [eventGateway(), ScopedEchoGateway] };
const snapshot = await create("snapshot", snapshotProviders, {}, { snapshot: true });
await serve("snapshot", snapshot);
console.log(`graph ${JSON.stringify(JSON.parse(snapshot.get(SerializedGraph).toString()).entrypoints)}`);

// Connections that are cut by the platform as soon as the application closes.

@WebSocketGateway()
class ForcedGateway {
  async handleDisconnect() {
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log("forced handleDisconnect ends");
  }
  @SubscribeMessage("close") close() {
    void forced.close().then(() => console.log("forced application is closed"));
  }
}
const forced = await create("forced", { providers: [ForcedGateway] }, {}, { forceCloseConnections: true });
await serve("forced", forced);

process.on("unhandledRejection", (error) => console.log("unhandledRejection", error));

// Numbers.

@UseConnectionGuards(TokenGuard)
@WebSocketGateway({ namespace: "counted" })
class CountedGateway {
  @SubscribeMessage("echo") echo(@MessageBody() body: unknown) {
    return body;
  }
  @SubscribeMessage("fail") fail() {
    throw new WsException("not like that");
  }
}
@Controller()
class CountsController {
  constructor(@Inject(SocketIoMetrics) private readonly metrics: SocketIoMetrics) {}
  @Get("counts") counts() {
    return this.metrics.read();
  }
}
@Module({
  imports: [SocketIoModule.forRoot()],
  controllers: [CountsController],
  providers: [TokenGuard, CountedGateway, SocketIoMetrics],
})
class LastModule {}
await listen(await NestFactory.create(LastModule, await createPlatform(PLATFORM), { logger: ["error"] }));
