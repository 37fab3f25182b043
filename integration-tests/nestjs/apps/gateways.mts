/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Gateways as programs for @nestjs/platform-socket.io have them, and what only @plugboard/nestjs knows.
import "reflect-metadata";
import {
  BadRequestException,
  Catch,
  HttpException,
  Inject,
  Injectable,
  Module,
  NotFoundException,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from "@nestjs/websockets";
import {
  Ack,
  InjectNamespace,
  InjectServer,
  MessageArg,
  SocketIoModule,
  SocketMiddleware,
  UseConnectionGuards,
  WsData,
  WsEventName,
  WsParam,
  WsUser,
} from "@plugboard/nestjs";
import { IsString, MaxLength } from "class-validator";
import { from, map, of } from "rxjs";
import * as z from "zod";
import { createPlatform, listen } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

class SendDto {
  @IsString()
  @MaxLength(10)
  text!: string;
}

class ZodPipe {
  constructor(readonly schema: z.ZodType) {}
  transform(value: unknown) {
    const parsed = this.schema.safeParse(value);
    if (!parsed.success) throw new BadRequestException(parsed.error.issues.map(({ message }) => message));
    return parsed.data;
  }
}

@Injectable()
class Users {
  find(token: unknown) {
    return token === "secret" ? { name: "ada" } : undefined;
  }
}

@Injectable()
class NoGuard {
  canActivate() {
    return false;
  }
}

@Injectable()
class TokenGuard {
  constructor(@Inject(Users) private readonly users: Users) {}
  canActivate(context: any) {
    const socket = context.switchToWs().getClient();
    const { token } = socket.handshake.auth;
    if (token === "broken") throw new Error("a secret of the server");
    if (token === "no") return false;
    const user = this.users.find(token);
    if (user === undefined) throw new UnauthorizedException("who are you?");
    socket.data.user = user;
    socket.data.pattern = context.getArgs().at(-1);
    return true;
  }
}

@Injectable()
class StampMiddleware {
  constructor(@Inject(Users) private readonly users: Users) {}
  use(socket: any, next: (error?: Error) => void) {
    if (socket.handshake.auth.refuse) return next(Object.assign(new Error("refused"), { data: { why: "asked for" } }));
    if (socket.handshake.auth.stranger) return next(new UnauthorizedException("no stamp"));
    socket.data.stamp = this.users.find("secret")?.name;
    next();
  }
}

@Catch(RangeError)
class RangeFilter extends BaseWsExceptionFilter {
  override catch(error: Error, host: any) {
    super.catch(new WsException(`out of range: ${error.message}`), host);
  }
}

@Catch(TypeError)
class SilentFilter {
  catch() {}
}

class DoubleInterceptor {
  intercept(_context: unknown, next: any) {
    return next.handle().pipe(map((value: any) => ({ intercepted: value })));
  }
}

@UseFilters(RangeFilter)
@WebSocketGateway({ cors: { origin: "*" } })
class MainGateway {
  @WebSocketServer() server: any;

  @SubscribeMessage("echo") echo(@MessageBody() body: unknown) {
    return body;
  }
  @SubscribeMessage("plain") plain(client: any, body: unknown) {
    return { id: client.id, body };
  }
  @SubscribeMessage("field") field(@MessageBody("name") name: string, @ConnectedSocket() client: any) {
    return { name, id: client.id };
  }
  @SubscribeMessage("promise") async promise(@MessageBody() body: number) {
    return body * 2;
  }
  @SubscribeMessage("observable") observable() {
    return of(1, 2, 3);
  }
  @SubscribeMessage("events") events() {
    return from([1, 2, 3]).pipe(map((data) => ({ event: "item", data })));
  }
  @SubscribeMessage("reply") reply(@MessageBody() data: unknown) {
    return { event: "replied", data };
  }
  @SubscribeMessage("void") nothing() {}
  @SubscribeMessage("null") null() {
    return null;
  }
  @SubscribeMessage("throw") throw() {
    throw new Error("a secret of the server");
  }
  @SubscribeMessage("ws-exception") wsException() {
    throw new WsException("not like that");
  }
  @SubscribeMessage("ws-object") wsObject() {
    throw new WsException({ message: "no", hint: "ask" });
  }
  @SubscribeMessage("http-exception") httpException() {
    throw new NotFoundException("no such thing");
  }
  @SubscribeMessage("teapot") teapot() {
    throw new HttpException("short and stout", 418);
  }
  @UseGuards(NoGuard)
  @SubscribeMessage("guarded")
  guarded() {
    return "let in";
  }
  @UsePipes(new ValidationPipe({ whitelist: true }))
  @SubscribeMessage("send")
  send(@MessageBody() { text }: SendDto) {
    return { said: text };
  }
  @SubscribeMessage("zod") zod(@MessageBody(new ZodPipe(z.object({ n: z.coerce.number() }))) body: unknown) {
    return body;
  }
  @SubscribeMessage("range") range() {
    throw new RangeError("7");
  }
  @UseFilters(new SilentFilter())
  @SubscribeMessage("silent")
  silent() {
    throw new TypeError("nobody is told");
  }
  @UseInterceptors(new DoubleInterceptor())
  @SubscribeMessage("intercepted")
  intercepted(@MessageBody() body: unknown) {
    return body;
  }
  @UseInterceptors(new DoubleInterceptor())
  @SubscribeMessage("intercepted-throw")
  async interceptedThrow() {
    throw new WsException("inside");
  }
  @SubscribeMessage("manual") manual(@Ack() ack: (value: unknown) => void) {
    setTimeout(() => ack?.("by hand"), 5);
    return "ignored";
  }
  @SubscribeMessage("args") args(@MessageArg(1) second: unknown, @MessageBody() all: unknown) {
    return { second, all };
  }
  @SubscribeMessage("shared") shared() {}
}

@WebSocketGateway()
class SecondGateway {
  @SubscribeMessage("shared") shared() {
    return "from the second";
  }
  @SubscribeMessage("doc:*") docs(@WsEventName() name: string, @MessageBody() body: unknown) {
    return { name, body };
  }
  @SubscribeMessage(/^img-\d+$/) images(@WsEventName() name: string) {
    return { image: name };
  }
}

@UseConnectionGuards(TokenGuard)
@SocketMiddleware(StampMiddleware)
@WebSocketGateway({ namespace: "chat" })
class ChatGateway {
  @WebSocketServer() nsp: any;
  @SubscribeMessage("who") who(
    @WsUser() user: unknown,
    @WsUser("name") name: string,
    @WsData("stamp") stamp: string,
    @WsData() { pattern }: any,
  ) {
    return { user, name, stamp, pattern, nsp: this.nsp.name };
  }
}

let gone = 0;

@WebSocketGateway({ namespace: "slow" })
class SlowGateway {
  ready = new WeakSet<object>();
  async handleConnection(client: any) {
    if (client.handshake.auth.fail === "sync-like") throw new WsException("not today");
    if (client.handshake.auth.hold) return new Promise((resolve) => client.once("disconnect", resolve));
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (client.handshake.auth.fail) throw new UnauthorizedException("too late");
    this.ready.add(client);
  }
  async handleDisconnect() {
    gone++;
    throw new Error("in handleDisconnect");
  }
  @SubscribeMessage("ready") isReady(@ConnectedSocket() client: any, @MessageBody() n: number) {
    return { ready: this.ready.has(client), n, gone };
  }
}

@WebSocketGateway({ namespace: "sync" })
class ThrowingGateway {
  handleConnection() {
    throw new Error("a secret of the server");
  }
  handleDisconnect() {
    throw new Error("in handleDisconnect");
  }
}

@Injectable()
@Catch(TypeError)
class UserFilter {
  constructor(@Inject(Users) private readonly users: Users) {}
  async catch(error: Error, host: any) {
    const { name } = (await this.users.find("secret")) as { name: string };
    host
      .switchToWs()
      .getClient()
      .emit("exception", { message: `${name}: ${error.message}` });
  }
}

@UseFilters(RangeFilter)
@WebSocketGateway({ namespace: "filtered" })
class FilteredGateway {
  @UseFilters(UserFilter)
  handleConnection(client: any) {
    const { fail } = client.handshake.auth;
    if (fail === "type") throw new TypeError("no");
    if (fail === "range") throw new RangeError("9");
    throw new Error("a secret of the server");
  }
}

@WebSocketGateway({ namespace: "/room-:id" })
class RoomGateway {
  @SubscribeMessage("room") room(@WsParam("id") id: string, @WsParam() all: unknown) {
    return { id, all };
  }
}

@WebSocketGateway({ namespace: "/room-:id" })
class RoomTooGateway {
  @SubscribeMessage("room-too") room(@WsParam("id") id: string) {
    return id;
  }
}

@Injectable()
class Everywhere {
  constructor(
    @InjectServer() readonly io: any,
    @InjectNamespace("chat") readonly chat: any,
  ) {}
}

@WebSocketGateway({ namespace: "tell" })
class TellGateway {
  constructor(@Inject(Everywhere) private readonly everywhere: Everywhere) {}
  @SubscribeMessage("tell") tell(@MessageBody() text: string) {
    this.everywhere.io.emit("told", text);
    this.everywhere.chat.emit("told", text);
    return this.everywhere.chat.name;
  }
}

@Module({
  imports: [SocketIoModule.forRootAsync({ useFactory: async () => ({ maxWaitingEvents: 20 }) })],
  providers: [
    MainGateway,
    SlowGateway,
    ThrowingGateway,
    SecondGateway,
    ChatGateway,
    FilteredGateway,
    RoomGateway,
    RoomTooGateway,
    TellGateway,
    Everywhere,
    Users,
  ],
})
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), { logger: ["error"] });
process.on("unhandledRejection", () => console.log("unhandledRejection"));
await listen(app);
