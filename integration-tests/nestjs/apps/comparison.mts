/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// What @nestjs/platform-socket.io does otherwise than we do. ADAPTER: ours or anchor. Several applications in one process.
import "reflect-metadata";
import * as common from "@nestjs/common";
import {
  BadRequestException,
  Catch,
  Inject,
  Injectable,
  Module,
  NotFoundException,
  Optional,
  Scope,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  UsePipes,
  ValidationPipe,
} from "@nestjs/common";
import { NestFactory, REQUEST } from "@nestjs/core";
import { ThrottlerGuard, ThrottlerModule } from "@nestjs/throttler";
import * as websockets from "@nestjs/websockets";
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WsException } from "@nestjs/websockets";
import { IsString } from "class-validator";
import { randomUUID } from "node:crypto";
import { from, map, of } from "rxjs";
import * as z from "zod";
import { createPlatform, haveBothAddressesOfLocalhost, require, urlOf } from "./platform.mjs";

const { PLATFORM = "express", ADAPTER, OWN_PORT } = process.env;
const isAnchor = ADAPTER === "anchor";
const plugboard: any = isAnchor ? await import("./no-plugboard.mjs") : await import("@plugboard/nestjs");
const { AckTimeout, InjectSocket, Serial, WsSession } = plugboard;
const ThrottlerGuardOfSockets: any = isAnchor
  ? ThrottlerGuard
  : (await import("@plugboard/nestjs/throttler")).WsThrottlerGuard;

// Answers.

@Injectable()
class NoGuard {
  canActivate() {
    return false;
  }
}

class SendDto {
  @IsString()
  text!: string;
}

const Numbered = z.object({ n: z.number() });

class ZodPipe {
  transform(value: unknown) {
    const parsed = Numbered.safeParse(value);
    if (!parsed.success) throw new BadRequestException(parsed.error.issues.map(({ message }) => message));
    return parsed.data;
  }
}

/** The pipe of Nest 12 for schemas of every library. */
const SchemaPipe: any = (common as any).StandardSchemaValidationPipe ?? ZodPipe;

@Catch(TypeError)
class TypeFilter {
  catch(_error: TypeError, host: any) {
    host.switchToWs().getClient().emit("exception", { message: "caught by the filter" });
  }
}

@Catch(RangeError)
class RangeFilter {
  catch(_error: RangeError, host: any) {
    host.switchToWs().getClient().emit("exception", { message: "caught by the global filter" });
  }
}

@UseFilters(TypeFilter)
@WebSocketGateway()
class MainGateway {
  @SubscribeMessage("echo") echo(@MessageBody() body: unknown) {
    return body;
  }
  @SubscribeMessage("field") field(@MessageBody("name") name: string) {
    return name;
  }
  @SubscribeMessage("promise") async promise(@MessageBody() body: number) {
    return body * 2;
  }
  @SubscribeMessage("observable") observable() {
    return of(1, 2, 3);
  }
  @SubscribeMessage("events") events() {
    return from([1, 2]).pipe(map((data) => ({ event: "item", data })));
  }
  @SubscribeMessage("void") nothing() {}
  @SubscribeMessage("throw") throw() {
    throw new Error("a secret of the server");
  }
  @SubscribeMessage("refuse") refuse() {
    throw new WsException("no");
  }
  @SubscribeMessage("missing") missing() {
    throw new NotFoundException("no such thing");
  }
  @UseGuards(NoGuard)
  @SubscribeMessage("guarded")
  guarded() {
    return "let in";
  }
  @UsePipes(new ValidationPipe())
  @SubscribeMessage("send")
  send(@MessageBody() { text }: SendDto) {
    return text;
  }
  @SubscribeMessage("zod") zod(@MessageBody(new ZodPipe()) body: unknown) {
    return body;
  }
  @UsePipes(SchemaPipe)
  @SubscribeMessage("schema")
  schema(@((MessageBody as any)(SchemaPipe === ZodPipe ? undefined : { schema: Numbered })) body: unknown) {
    return body;
  }
  @SubscribeMessage("reply") reply(@MessageBody() data: unknown) {
    return { event: "replied", data };
  }
  @SubscribeMessage("filtered") filtered() {
    throw new TypeError("wrong");
  }
  @SubscribeMessage("range") range() {
    throw new RangeError("too far");
  }
  @SubscribeMessage("doc:*") docs() {
    return "a document";
  }
  @AckTimeout(100)
  @SubscribeMessage("never")
  never() {
    return new Promise(() => {});
  }
  @SubscribeMessage("close the front") async close() {
    await front.close();
    return closing;
  }
  @SubscribeMessage("let it die") letDie() {
    process.off("uncaughtException", noteUncaught);
    return "what is thrown now ends the process";
  }
}

/** For an application with other options at the same time: what they add to a class is that of the last one. */
@WebSocketGateway()
class CompatGateway extends MainGateway {}

// Connections.

@WebSocketGateway({ namespace: "guarded" })
class GuardedGateway {
  @UseGuards(NoGuard)
  handleConnection() {}
}

@WebSocketGateway({ namespace: "slow" })
class SlowGateway {
  ready = new WeakSet<object>();
  async handleConnection(client: any) {
    // Nobody waits for this with the anchor: it may take as long as the client stays.
    await new Promise((resolve) => (isAnchor ? client.once("disconnect", resolve) : setTimeout(resolve, 30)));
    this.ready.add(client);
  }
  @SubscribeMessage("ready") isReady(@ConnectedSocket() client: any) {
    return this.ready.has(client);
  }
}

@WebSocketGateway({ namespace: "rejecting" })
class RejectingGateway {
  async handleConnection() {
    throw new Error("handleConnection rejected");
  }
}

@WebSocketGateway({ namespace: "throwing" })
class ThrowingGateway {
  handleConnection() {
    throw new Error("handleConnection threw");
  }
}

@WebSocketGateway({ namespace: "leaving" })
class LeavingGateway {
  handleDisconnect() {
    throw new Error("handleDisconnect threw");
  }
}

@WebSocketGateway({ namespace: "slowly-leaving" })
class SlowlyLeavingGateway {
  async handleDisconnect() {
    throw new Error("handleDisconnect rejected");
  }
}

@WebSocketGateway({ namespace: "init" })
class InitGateway {
  async afterInit() {
    throw new Error("afterInit rejected");
  }
}

const rooms = /^\/room-\d+$/;
@WebSocketGateway({ namespace: rooms })
class RoomGateway {
  @SubscribeMessage("first") first() {
    return "first";
  }
}
@WebSocketGateway({ namespace: rooms })
class OtherRoomGateway {
  @SubscribeMessage("second") second() {
    return "second";
  }
}

/** More than listeners of one event are without a warning. */
const many = Array.from({ length: 14 }, (_, index) => {
  class ManyGateway {
    answer() {
      return index;
    }
    listeners(client: any) {
      const ofSocket = ["disconnect", "listeners", "many-13"].map((name) => client.listenerCount(name));
      return [client.nsp.listenerCount("connection"), ...ofSocket];
    }
    handleConnection() {}
    handleDisconnect() {}
  }
  const { prototype } = ManyGateway;
  const subscribe = (method: "answer" | "listeners", event: string): void => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor;
    SubscribeMessage(event)(prototype, method, descriptor);
  };
  subscribe("answer", `many-${index}`);
  subscribe("listeners", "listeners");
  WebSocketGateway({ namespace: "many" })(ManyGateway);
  return ManyGateway;
});

// Turns and limits.

/** Of a connection: how many handlers have begun, and what they wait for. */
class Turns {
  begun = 0;
  end: () => void = () => {};
  readonly ended = new Promise<void>((resolve) => void (this.end = resolve));
  static readonly #all = new WeakMap<object, Turns>();
  static of({ conn }: any): Turns {
    if (!Turns.#all.has(conn)) Turns.#all.set(conn, new Turns());
    return Turns.#all.get(conn) as Turns;
  }
}

@Serial()
@WebSocketGateway({ namespace: "turns" })
class TurnsGateway {
  @SubscribeMessage("turn") async turn(@ConnectedSocket() client: any) {
    Turns.of(client).begun++;
    await Turns.of(client).ended;
    return "over";
  }
}
@WebSocketGateway({ namespace: "turns" })
class TurnsWatchingGateway {
  @SubscribeMessage("end") async end(@ConnectedSocket() client: any) {
    // Those that came before have begun then, if they do not wait.
    await new Promise((resolve) => setImmediate(resolve));
    const { begun, end } = Turns.of(client);
    end();
    return begun;
  }
}

@UseGuards(ThrottlerGuardOfSockets)
@WebSocketGateway({ namespace: "throttled" })
class ThrottledGateway {
  @SubscribeMessage("hello") hello() {
    return "hello";
  }
}

// The socket that is at work, for other providers.

@Injectable({ scope: isAnchor ? Scope.REQUEST : Scope.DEFAULT })
class AtWork {
  constructor(@(isAnchor ? Inject(REQUEST) : InjectSocket()) readonly socket: any) {}
}
@WebSocketGateway({ namespace: "at-work" })
class AtWorkGateway {
  constructor(@Inject(AtWork) private readonly work: AtWork) {}
  @SubscribeMessage("id") id() {
    return this.work.socket.id;
  }
}

// Gateways that share a server.

@WebSocketGateway({ path: "/merged", pingInterval: 12_345 })
class PingIntervalGateway {}
@WebSocketGateway({ path: "/merged", namespace: "second", pingTimeout: 5432 })
class PingTimeoutGateway {}

@WebSocketGateway({ pingInterval: 1000 })
class FirstGateway {}
@WebSocketGateway({ namespace: "second", pingInterval: 2000 })
class SecondGateway {}

@Injectable()
class Injected {
  constructor(
    @Optional() @Inject(isAnchor ? require("socket.io").Server : plugboard.SOCKET_IO_SERVER) readonly server: any,
  ) {}
}

// Behind the middlewares of the application, and closed by a test.

const closing: string[] = [];
let closeDatabase: () => void;
const databaseClosed = new Promise<void>((resolve) => void (closeDatabase = resolve));
/** Nobody waits for this with the anchor: it may take as long as the rest. */
const takeTime = () => (isAnchor ? databaseClosed : new Promise((resolve) => setTimeout(resolve, 50)));

@WebSocketGateway()
class FrontGateway {
  @SubscribeMessage("session") session(@WsSession("user") ours: unknown, @ConnectedSocket() { request }: any) {
    return (isAnchor ? request.session?.user : ours) ?? "nobody";
  }
  @SubscribeMessage("slow") async slow(@ConnectedSocket() client: any) {
    client.data.isSlow = true;
    client.emit("begun");
    await takeTime();
    closing.push("the handler ends");
  }
  async handleDisconnect({ data }: any) {
    if (!data.isSlow) return;
    await takeTime();
    closing.push("handleDisconnect ends");
  }
}

@Injectable()
class Words {
  readonly refusal = "not you";
}
@Injectable()
class RefusingMiddleware {
  constructor(@Inject(Words) private readonly words: Words) {}
  use(request: any, _response: any, next: () => void) {
    if (request.headers["x-refuse"] !== undefined) throw new UnauthorizedException(this.words.refusal);
    next();
  }
}
@Injectable()
class Database {
  onApplicationShutdown() {
    closing.push("the database closes");
    closeDatabase();
  }
}

async function addSessions(app: any): Promise<void> {
  const secret = "a secret that is long enough for everybody";
  if (PLATFORM === "express") {
    app.use(require("express-session")({ secret, resave: false, saveUninitialized: false }));
    app.use("/login", (request: any, response: any) => {
      request.session.user = "ada";
      response.end();
    });
    return;
  }
  await app.register(require("@fastify/cookie"));
  await app.register(require("@fastify/session"), { secret, cookie: { secure: false }, saveUninitialized: false });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.get("/login", async ({ session }: any) => {
    session.user = "ada";
    return "";
  });
}

/** An application, with its options for us. */
async function create(metadata: any, options: object = {}): Promise<any> {
  const { configure = () => {}, imports = [], ...ofModule } = metadata;
  const own = isAnchor ? [] : [plugboard.SocketIoModule.forRoot(options)];
  @Module({ ...ofModule, imports: [...imports, ...own] })
  class AppModule {
    configure = configure;
  }
  const factoryOptions: any = { logger: ["error"], abortOnError: false };
  return NestFactory.create(AppModule, await createPlatform(PLATFORM), factoryOptions);
}

/** How an application starts, in a word. */
async function startOf(metadata: any, options?: object): Promise<string> {
  try {
    await (await create(metadata, options)).init();
    return "starts";
  } catch (error: any) {
    return error.message;
  }
}

const noteUncaught = ({ message }: Error) => console.log(`would have ended the process: ${message}`);
process.on("uncaughtException", noteUncaught);
process.on("warning", ({ name }) => console.log(name));

function reloadedModule(port: number, generation: number) {
  @WebSocketGateway(port)
  class ReloadedGateway {
    @SubscribeMessage("generation") generation() {
      return generation;
    }
  }
  return { providers: [ReloadedGateway] };
}
let front: any;

async function start(): Promise<void> {
  const port = Number(OWN_PORT);
  console.log(`first on the port: ${await startOf(reloadedModule(port, 1), { hmr: true })}`);
  console.log(`second on the port: ${await startOf(reloadedModule(port, 2), { hmr: true })}`);
  console.log(`contradicting gateways: ${await startOf({ providers: [FirstGateway, SecondGateway] })}`);

  haveBothAddressesOfLocalhost();
  front = await create(
    {
      providers: [FrontGateway, Words, Database],
      configure: (consumer: any) => consumer.apply(RefusingMiddleware).forRoutes("*"),
    },
    {
      rateLimit: {
        handshake: { points: 2, duration: 600, by: ({ headers }: any) => headers["x-limit"] ?? randomUUID() },
      },
    },
  );
  await addSessions(front);
  await front.listen(0, PLATFORM === "fastify" ? "localhost" : "127.0.0.1");

  const compat = await create({ providers: [CompatGateway] }, { acks: "compat" });
  await compat.listen(0, "127.0.0.1");

  const main = await create(
    {
      imports: [ThrottlerModule.forRoot([{ ttl: 600_000, limit: 1000 }])],
      providers: [
        MainGateway,
        GuardedGateway,
        SlowGateway,
        RejectingGateway,
        ThrowingGateway,
        LeavingGateway,
        SlowlyLeavingGateway,
        InitGateway,
        RoomGateway,
        OtherRoomGateway,
        ...many,
        TurnsGateway,
        TurnsWatchingGateway,
        ThrottledGateway,
        AtWork,
        AtWorkGateway,
        PingIntervalGateway,
        PingTimeoutGateway,
        Injected,
      ],
    },
    { globalEnhancers: true, globalFilters: true, unknownEvents: "ack-error" },
  );
  main.useGlobalFilters(new RangeFilter());
  main.useGlobalGuards({ canActivate: (context: any) => context.switchToWs().getData() !== "what no guard lets in" });

  const names = Object.keys(isAnchor ? require("@nestjs/platform-socket.io") : plugboard);
  console.log(`exports: ${JSON.stringify(names)}`);
  console.log(`websockets exports: ${JSON.stringify(Object.keys(websockets))}`);
  console.log(`is the server injected? ${main.get(Injected).server !== undefined}`);
  console.log(`front ${urlOf(front)} compat ${urlOf(compat)}`);
  await main.listen(0, "127.0.0.1");
  console.log(`listening ${urlOf(main)}`);
}

// It would be noted too, and the tests would wait.
start().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
