/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// What applications of Nest use besides, each as its own documentation says. REDIS: the socket file of a server to which several of them connect.
import "reflect-metadata";
import * as common from "@nestjs/common";
import {
  Controller,
  Get,
  Injectable,
  Module,
  UnauthorizedException,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from "@nestjs/common";
import { ConfigModule, ConfigService } from "@nestjs/config";
import { NestFactory } from "@nestjs/core";
import { EventEmitter2, EventEmitterModule, OnEvent } from "@nestjs/event-emitter";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { AuthGuard, PassportModule, PassportStrategy } from "@nestjs/passport";
import { HealthCheck, HealthCheckService, TerminusModule } from "@nestjs/terminus";
import { ThrottlerGuard, ThrottlerModule } from "@nestjs/throttler";
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import { InjectServer, SocketIoHealthIndicator, SocketIoModule, UseConnectionGuards, WsUser } from "@plugboard/nestjs";
import { createAdapter } from "@socket.io/redis-adapter";
import { ClsInterceptor, ClsModule, ClsService, InjectableProxy, UseCls } from "nestjs-cls";
import { Logger, LoggerModule } from "nestjs-pino";
import { createClient } from "redis";
import * as z from "zod";
import { createPlatform, listen, require } from "./platform.mjs";

const { PLATFORM = "express", REDIS } = process.env;

async function redisAdapter(path: string) {
  const publisher = createClient({ socket: { path } as any });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return createAdapter(publisher, subscriber);
}

@Injectable()
class JwtGuard {
  constructor(private readonly jwt: JwtService) {}
  async canActivate(context: any) {
    const socket = context.switchToWs().getClient();
    try {
      socket.data.user = await this.jwt.verifyAsync(socket.handshake.auth.token);
      return true;
    } catch (error: any) {
      throw new UnauthorizedException(error.message);
    }
  }
}

@UseConnectionGuards(JwtGuard)
@WebSocketGateway({ namespace: "jwt" })
class JwtGateway {
  @SubscribeMessage("who") who(@WsUser("sub") sub: string) {
    return sub;
  }
}

/** As `passport-jwt` and others: it reads the request, and says who that is. */
class HeaderStrategy extends PassportStrategy(require("passport").Strategy, "header") {
  authenticate(this: any, request: any) {
    const name = request.headers["x-user"];
    if (name === undefined) return this.fail("who are you?");
    this.success({ name });
  }
  validate() {}
}

@UseConnectionGuards(AuthGuard("header"))
@WebSocketGateway({ namespace: "passport" })
class PassportGateway {
  @SubscribeMessage("who") who(@WsUser() user: unknown) {
    return user;
  }
}

/** The recipe of its documentation for websockets. */
@Injectable()
class WsThrottlerGuard extends ThrottlerGuard {
  override async handleRequest({ context, limit, ttl, throttler, blockDuration, generateKey }: any) {
    // Its own is the address, which all clients of these tests have.
    const tracker = context.switchToWs().getClient().id;
    const key = generateKey(context, tracker, throttler.name);
    const record = await this.storageService.increment(key, ttl, limit, blockDuration, throttler.name);
    if (record.isBlocked) await this.throwThrottlingException(context, { limit, ttl, key, tracker, ...record });
    return true;
  }
}

@UseGuards(WsThrottlerGuard)
@WebSocketGateway({ namespace: "throttled" })
class ThrottledGateway {
  @SubscribeMessage("hello") hello() {
    return "hello";
  }
}

const isTwelve = "StandardSchemaValidationPipe" in common;
const point = z.object({ x: z.coerce.number() });

const standardPipe: any = isTwelve
  ? new (common as any).StandardSchemaValidationPipe()
  : { transform: (value: any) => value };

@WebSocketGateway({ namespace: "schema" })
class StandardSchemaGateway {
  @UsePipes(standardPipe)
  @SubscribeMessage("point")
  point(@((MessageBody as any)(isTwelve ? { schema: point } : undefined)) body: unknown) {
    return body;
  }
}

const zodDto: any = isTwelve ? undefined : require("nestjs-zod");
const PointDto: any = isTwelve ? class {} : class extends zodDto.createZodDto(point) {};

class ZodGateway {
  zod(body: unknown) {
    return body;
  }
}
if (!isTwelve) {
  // Written out, for the class of the parameter is not known to the compiler.
  const { prototype } = ZodGateway;
  Reflect.defineMetadata("design:paramtypes", [PointDto], prototype, "zod");
  MessageBody()(prototype, "zod", 0);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, "zod") as PropertyDescriptor;
  UsePipes(zodDto.ZodValidationPipe)(prototype, "zod", descriptor);
  SubscribeMessage("zod")(prototype, "zod", descriptor);
}
WebSocketGateway({ namespace: "zod" })(ZodGateway);

@Injectable()
class Greeter {
  constructor(private readonly cls: ClsService) {}
  async greet() {
    await new Promise((resolve) => setImmediate(resolve));
    return `hello ${this.cls.get("name")}`;
  }
}

/** Made for each event, by the library. */
@InjectableProxy()
class Caller {
  readonly name: string;
  constructor(cls: ClsService) {
    this.name = cls.get("name");
  }
}

@UseInterceptors(ClsInterceptor)
@WebSocketGateway({ namespace: "cls" })
class ClsGateway {
  constructor(
    private readonly greeter: Greeter,
    private readonly caller: Caller,
  ) {}
  @UseCls({ setup: (cls: any, client: any) => cls.set("name", client.handshake.auth.name) } as any)
  async handleConnection(client: any) {
    client.data.greeting = `${await this.greeter.greet()}, ${this.caller.name}`;
  }
  @SubscribeMessage("greeting") greeting(@ConnectedSocket() client: any) {
    return [client.data.greeting, this.caller.name];
  }
  @SubscribeMessage("greet") greet() {
    return this.greeter.greet();
  }
}

@WebSocketGateway()
class OrdersGateway {
  @WebSocketServer() server: any;
  constructor(private readonly events: EventEmitter2) {}
  @SubscribeMessage("order") order(@MessageBody() id: number) {
    this.events.emit("order.created", { id });
    return { ok: true };
  }
  @OnEvent("order.created") created(order: unknown) {
    this.server.emit("order created", order);
  }
  @SubscribeMessage("fail") fail() {
    throw new Error("something for the log");
  }
}

@Controller()
class AppController {
  constructor(
    private readonly jwt: JwtService,
    private readonly health: HealthCheckService,
    private readonly sockets: SocketIoHealthIndicator,
    @InjectServer() private readonly io: any,
  ) {}
  @Get("token") token() {
    return this.jwt.sign({ sub: "ada" });
  }
  @Get("health")
  @HealthCheck()
  check() {
    return this.health.check([() => this.sockets.isHealthy()]);
  }
  @Get("tell") tell() {
    this.io.emit("told", "everybody");
    return {};
  }
}

@Module({
  imports: [
    ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => ({ sockets: { path: "/realtime" } })] }),
    SocketIoModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: async (config: ConfigService) => ({
        path: config.get("sockets.path"),
        ...(REDIS !== undefined && { adapter: await redisAdapter(REDIS) }),
      }),
    } as any),
    JwtModule.register({ secret: "known to the tests alone", signOptions: { expiresIn: "1h" } }),
    PassportModule,
    ThrottlerModule.forRoot([{ ttl: 600_000, limit: 2 }]),
    ClsModule.forRoot({
      interceptor: {
        mount: false,
        setup: (cls: any, context: any) => cls.set("name", context.switchToWs().getClient().handshake.auth.name),
      },
    }),
    ClsModule.forFeature(Caller),
    EventEmitterModule.forRoot(),
    TerminusModule,
    LoggerModule.forRoot({ pinoHttp: { level: "error" } }),
  ],
  controllers: [AppController],
  providers: [
    JwtGuard,
    JwtGateway,
    HeaderStrategy,
    PassportGateway,
    ThrottledGateway,
    StandardSchemaGateway,
    ZodGateway,
    Greeter,
    ClsGateway,
    OrdersGateway,
  ],
})
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), { bufferLogs: true });
app.useLogger(app.get(Logger));
await listen(app);
