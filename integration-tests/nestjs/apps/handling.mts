/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// How events are handled: deadlines, turns, limits, filters that answer, the socket at work. Several applications in one process.
import "reflect-metadata";
import {
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import { SkipThrottle, Throttle, ThrottlerModule } from "@nestjs/throttler";
import {
  Ack,
  AckExceptionFilter,
  AckTimeout,
  Concurrency,
  InjectNamespace,
  InjectSocket,
  Serial,
  SocketIoModule,
  SocketMiddleware,
  UseConnectionGuards,
  WsContext,
  WsReason,
  WsRoom,
} from "@plugboard/nestjs";
import { WsThrottlerGuard } from "@plugboard/nestjs/throttler";
import { listen, urlOf } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

async function trustingPlatform() {
  if (PLATFORM === "fastify") {
    const { FastifyAdapter } = await import("@nestjs/platform-fastify");
    return new FastifyAdapter({ trustProxy: true });
  }
  const { ExpressAdapter } = await import("@nestjs/platform-express");
  const adapter = new ExpressAdapter();
  adapter.set("trust proxy", true);
  return adapter;
}

const never = () => new Promise(() => {});

class OutOfStock extends Error {
  constructor(readonly sku: unknown) {
    super("out of stock");
  }
}

@Catch(OutOfStock)
class StockFilter extends AckExceptionFilter<OutOfStock> {
  async answer({ sku }: OutOfStock, { event, wantsAck }: any) {
    // As one that asks a database.
    await new Promise((resolve) => setImmediate(resolve));
    if (sku === "broken") throw new Error("a secret of the filter");
    return { code: "OUT_OF_STOCK", sku, event, wantsAck };
  }
}

@Catch(RangeError)
class RangeFilter {
  catch(error: Error, host: any) {
    WsContext.from(host).ack({ range: error.message });
  }
}

class EarlyInterceptor {
  intercept(context: any, next: any) {
    const { event, args, socket } = WsContext.from(context);
    WsContext.from(context).ack({ early: event, args, id: socket.id });
    return next.handle();
  }
}

@Injectable()
class WhoAmI {
  constructor(@InjectSocket() private readonly socket: any) {}
  async id() {
    await Promise.resolve();
    return this.socket.id;
  }
  remember(key: string) {
    this.socket.data[key] = this.socket.id;
  }
}

@Injectable()
class RememberGuard {
  constructor(@Inject(WhoAmI) private readonly who: WhoAmI) {}
  canActivate() {
    this.who.remember("guard");
    return true;
  }
}

@UseConnectionGuards(RememberGuard)
@WebSocketGateway()
class MainGateway {
  @WebSocketServer() server: any;
  constructor(@Inject(WhoAmI) private readonly who: WhoAmI) {}

  handleConnection(client: any) {
    this.who.remember("connection");
    client.on("by-hand", async (ack: any) => {
      await Promise.resolve();
      ack("heard");
    });
  }
  handleDisconnect(client: any, second: unknown) {
    this.server.emit("left", client.id, second);
  }

  @AckTimeout(100)
  @SubscribeMessage("never")
  never() {
    return never();
  }
  @AckTimeout(100)
  @SubscribeMessage("forgotten")
  forgotten(@Ack() _ack: unknown) {}
  @AckTimeout(100)
  @SubscribeMessage("late")
  async late(@ConnectedSocket() client: any) {
    await new Promise((resolve) => client.once("go on", resolve));
    client.emit("went on");
    return "too late";
  }

  @UseFilters(StockFilter)
  @SubscribeMessage("buy")
  buy(@MessageBody() sku: unknown) {
    throw new OutOfStock(sku);
  }
  @UseFilters(RangeFilter)
  @SubscribeMessage("range")
  range() {
    throw new RangeError("7");
  }
  @UseInterceptors(EarlyInterceptor)
  @SubscribeMessage("early")
  early() {
    return "too late";
  }

  @SubscribeMessage("who") async whoAmI(@ConnectedSocket() client: any) {
    return { id: await this.who.id(), data: client.data };
  }
  @SubscribeMessage("sit") async sit(@ConnectedSocket() client: any) {
    await client.join(["zoo", "table:7"]);
  }
  @SubscribeMessage("table") table(
    @WsRoom("table:") table: string,
    @WsRoom() any: string,
    @WsRoom("no:") none: unknown,
  ) {
    return { table, any, none: none === undefined };
  }
}

@WebSocketGateway({ path: "/hasty", handlerTimeout: 100 })
class HastyGateway {
  @SubscribeMessage("never") never() {
    return never();
  }
}

@WebSocketGateway({ namespace: "reason" })
class ReasonGateway {
  @WebSocketServer() nsp: any;
  handleDisconnect(@WsReason() reason: unknown) {
    this.nsp.emit("left", reason);
  }
}

@WebSocketGateway({ namespace: "stuck" })
class StuckGateway {
  handleConnection() {
    return never();
  }
}

/** Of a socket: what its handlers have done, and what opens the gate that they wait at. */
class Gates {
  readonly lines: string[] = [];
  running = 0;
  most = 0;
  open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => void (this.open = resolve));
  static readonly #all = new WeakMap<object, Gates>();
  /** One for all namespaces of a connection. */
  static of({ conn }: any): Gates {
    const gates = Gates.#all.get(conn) ?? new Gates();
    Gates.#all.set(conn, gates);
    return gates;
  }
}

@Serial()
@WebSocketGateway({ namespace: "serial" })
class SerialGateway {
  @AckTimeout(0)
  @SubscribeMessage("hold")
  async hold(@ConnectedSocket() client: any) {
    const { lines, opened } = Gates.of(client);
    lines.push("hold begins");
    await opened;
    lines.push("hold ends");
  }
  @SubscribeMessage("next") next(@ConnectedSocket() client: any, @MessageBody() n: number) {
    Gates.of(client).lines.push(`next ${n}`);
    return n;
  }
  @AckTimeout(100)
  @SubscribeMessage("hurry")
  hurry(@ConnectedSocket() client: any) {
    Gates.of(client).lines.push("hurry");
  }
}

@WebSocketGateway({ namespace: "lanes" })
class LanesGateway {
  @Concurrency(2)
  @SubscribeMessage("pair")
  async pair(@ConnectedSocket() client: any) {
    const gates = Gates.of(client);
    gates.most = Math.max(gates.most, ++gates.running);
    await gates.opened;
    gates.running--;
    return gates.most;
  }
  @SubscribeMessage("free") free() {
    return "free";
  }
}

@WebSocketGateway({ namespace: "gates" })
class GatesGateway {
  @SubscribeMessage("open") open(@ConnectedSocket() client: any) {
    const { lines, open } = Gates.of(client);
    const seen = [...lines];
    open();
    return seen;
  }
  @SubscribeMessage("lines") lines(@ConnectedSocket() client: any) {
    return Gates.of(client).lines;
  }
}

const perSocket = async (_request: unknown, context: any) => context.switchToWs().getClient().id;

@UseGuards(WsThrottlerGuard)
@WebSocketGateway({ namespace: "throttled" })
class ThrottledGateway {
  @Throttle({ short: { limit: 2, ttl: 600_000, getTracker: perSocket }, long: { limit: 1000, ttl: 600_000 } })
  @SubscribeMessage("few")
  few(@MessageBody() n: number) {
    return n;
  }
  @SkipThrottle({ short: true, long: true })
  @SubscribeMessage("many")
  many(@MessageBody() n: number) {
    return n;
  }
  @SkipThrottle({ short: true })
  @Throttle({ long: { limit: 3, ttl: 600_000, getTracker: perSocket } })
  @SubscribeMessage("some")
  some(@MessageBody() n: number) {
    return n;
  }
}

@UseConnectionGuards(WsThrottlerGuard)
@WebSocketGateway({ namespace: "doors" })
class DoorsGateway {}

@UseGuards(WsThrottlerGuard)
@Controller("limited")
class LimitedController {
  @Get() get() {
    return "ok";
  }
}

@Injectable()
class Secrets {
  readonly word = "sesame";
}
@Module({ providers: [Secrets], exports: [Secrets] })
class SecretsModule {}

@Injectable()
class WordMiddleware {
  constructor(@Inject(Secrets) private readonly secrets: Secrets) {}
  use(socket: any, next: (error?: Error) => void) {
    if (socket.handshake.auth.word !== this.secrets.word) return next(new Error("the word?"));
    socket.data.order = ["feature"];
    next();
  }
}

@Injectable()
class SecondMiddleware {
  use(socket: any, next: () => void) {
    socket.data.order.push("gateway");
    next();
  }
}

@SocketMiddleware(SecondMiddleware)
@WebSocketGateway({ namespace: "/featured-:id" })
class FeaturedGateway {
  @SubscribeMessage("order") order(@ConnectedSocket() client: any) {
    return client.data.order;
  }
}

@Injectable()
class Quiet {
  constructor(@InjectNamespace("quiet") readonly quiet: any) {}
}

@Module({
  imports: [
    SocketIoModule.forRoot({ connectionTimeout: 300, maxWaitingEvents: 20, unknownEvents: "ack-error" }),
    SocketIoModule.forFeature({ namespace: "featured-:id", middleware: [WordMiddleware], imports: [SecretsModule] }),
    SocketIoModule.forFeature({ namespace: "/quiet", middleware: [WordMiddleware], imports: [SecretsModule] }),
    ThrottlerModule.forRoot([
      { name: "short", ttl: 600_000, limit: 2 },
      { name: "long", ttl: 600_000, limit: 1000 },
    ]),
  ],
  controllers: [LimitedController],
  providers: [
    MainGateway,
    HastyGateway,
    ReasonGateway,
    StuckGateway,
    SerialGateway,
    LanesGateway,
    GatesGateway,
    ThrottledGateway,
    DoorsGateway,
    FeaturedGateway,
    WhoAmI,
    Quiet,
  ],
})
class AppModule {}

@WebSocketGateway()
class LimitedGateway {
  @SubscribeMessage("count") count(@MessageBody() n: number) {
    return n;
  }
  @SubscribeMessage("hold") async hold(@ConnectedSocket() client: any) {
    const gates = Gates.of(client);
    gates.most = Math.max(gates.most, ++gates.running);
    await Promise.resolve();
    gates.running--;
    return gates.most;
  }
}

@Module({
  imports: [
    SocketIoModule.forRoot({
      concurrency: 1,
      rateLimit: {
        handshake: { points: 2, duration: 600 },
        events: { points: 1000, duration: 600, events: { count: { points: 2, duration: 600 } }, by: "address" },
      },
    }),
  ],
  providers: [LimitedGateway],
})
class LimitedModule {}

function reloadedModule(port: number, generation: number) {
  @WebSocketGateway(port)
  class GenerationGateway {
    @SubscribeMessage("generation") generation() {
      return generation;
    }
  }
  @Module({ imports: [SocketIoModule.forRoot({ hmr: true })], providers: [GenerationGateway] })
  class ReloadedModule {}
  return ReloadedModule;
}

const start = async (module: unknown): Promise<any> =>
  NestFactory.create(module as any, (await trustingPlatform()) as any, { logger: ["error"] });

process.on("unhandledRejection", () => console.log("unhandledRejection"));

const limited = await start(LimitedModule);
await limited.listen(0, "127.0.0.1");

const port = Number(process.env["OWN_PORT"]);
const served = async () => {
  const response = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`).catch(() => undefined);
  return response?.status === 200;
};
const first = await start(reloadedModule(port, 1));
await first.init();
while (!(await served())) await new Promise((resolve) => setTimeout(resolve, 20));
const second = await start(reloadedModule(port, 2));
await second.init();
await first.close();
while (!(await served())) await new Promise((resolve) => setTimeout(resolve, 20));

const app = await start(AppModule);
try {
  await app.get(WhoAmI).id();
} catch (error: any) {
  console.log(`outside: ${error.message}`);
}
console.log(`limited ${urlOf(limited)} reloaded http://127.0.0.1:${port}`);
await listen(app);
