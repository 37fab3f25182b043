/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Logins by passport and by session on both platforms, and by token. Sessions are kept in FILE, so that they outlive the
// process; MAX_AGE is how long one lives, in milliseconds. COOKIE_CORS: an origin that may send cookies.
import "reflect-metadata";
import { Injectable, Module, UnauthorizedException } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { InjectServer, SocketIoModule, UseConnectionGuards, WsSession, WsUser } from "@plugboard/nestjs";
import { credentials } from "@plugboard/auth";
import { EventEmitter, once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createPlatform, require, urlOf } from "./platform.mjs";

const { PLATFORM = "express", FILE = "", PORT = "0", COOKIE_CORS } = process.env;
const maxAge = 600_000;

/** Sessions in a file, as stores of express-session and @fastify/session are. */
class FileStore extends EventEmitter {
  read(): Record<string, any> {
    try {
      return JSON.parse(readFileSync(FILE, "utf8"));
    } catch {
      return {};
    }
  }
  write(change: (all: Record<string, any>) => void, done?: (error?: Error) => void) {
    const all = this.read();
    change(all);
    writeFileSync(FILE, JSON.stringify(all));
    setImmediate(() => done?.());
  }
  get(id: string, done: (error: unknown, session?: unknown) => void) {
    const found = this.read()[id];
    const isOver = new Date(found?.cookie?.expires ?? Infinity).getTime() <= Date.now();
    setImmediate(() => done(null, isOver ? undefined : found));
  }
  set(id: string, session: any, done?: (error?: Error) => void) {
    const copy = JSON.parse(JSON.stringify(session));
    this.write((all) => void (all[id] = copy), done);
  }
  destroy(id: string, done?: (error?: Error) => void) {
    this.write((all) => void delete all[id], done);
  }
}

const adding = new EventEmitter();

/** What a slow request does with its session, while a socket changes that too. */
async function holdAndAdd(session: any): Promise<void> {
  adding.emit("held");
  await once(adding, "add");
  await new Promise((resolve) => setTimeout(resolve, 20));
  (session.cart ??= []).push("held");
}

@Injectable()
class LoggedIn {
  canActivate(context: any) {
    const socket = context.switchToWs().getClient();
    // Passport says who it is on Express, the session does on Fastify.
    if ((socket.request.user ?? socket.session?.data.user) === undefined)
      throw new UnauthorizedException("log in first");
    return true;
  }
}

@UseConnectionGuards(LoggedIn)
@WebSocketGateway({ namespace: "shop" })
class ShopGateway {
  afterInit(server: any) {
    adding.on("held", () => server.emit("held"));
  }
  @SubscribeMessage("who") who(@WsUser("name") user: unknown, @WsSession("user") id: unknown) {
    return { user: user ?? null, id: id ?? null };
  }
  @SubscribeMessage("look") async look(@WsSession() session: any) {
    await session.reload();
  }
  @SubscribeMessage("add") async add(@WsSession() session: any, @MessageBody() item: string) {
    adding.emit("add");
    const data = await session.update((draft: any) => void (draft.cart ??= []).push(item));
    return data.cart;
  }
}

/** A second server of the application. */
@WebSocketGateway({ path: "/second" })
class SecondGateway {}

@WebSocketGateway()
class OpenGateway {
  @SubscribeMessage("hello") hello(@WsSession("user") user: unknown) {
    return user ?? "stranger";
  }
}

/** Tokens are `name:lifetime`, in milliseconds from when they come: what `JwtService.verifyAsync` gives of a real one. */
@Injectable()
class Tokens {
  constructor(@InjectServer() io: any) {
    credentials(io, {
      required: (namespace) => namespace === "/tokens",
      verify: (token: string) => {
        const [user, lifetimeMs] = token.split(":") as [string, string];
        return { user, expiresAt: Date.now() + Number(lifetimeMs) };
      },
    });
  }
}

@WebSocketGateway({ namespace: "tokens" })
class TokenGateway {
  @SubscribeMessage("who") who(@WsUser("user") user: string, @ConnectedSocket() socket: any) {
    return `${user} in ${socket.nsp.name}`;
  }
}

@Module({
  imports: [SocketIoModule.forRoot()],
  providers: [ShopGateway, SecondGateway, OpenGateway, TokenGateway, LoggedIn, Tokens],
})
class AppModule {}

const httpAdapter = await createPlatform(PLATFORM, { trustProxy: true, ignoreTrailingSlash: true });
const app: any = await NestFactory.create(AppModule, httpAdapter, { logger: ["error"] });
if (COOKIE_CORS !== undefined) app.enableCors({ origin: COOKIE_CORS, credentials: true });
const secret = "a secret that is long enough for everybody";
const store = new FileStore();
const ada = { id: "ada", name: "Ada" };
if (PLATFORM === "express") {
  const session = require("express-session");
  const passport = new (require("passport").Passport)();
  passport.serializeUser((user: any, done: any) => done(null, user.id));
  passport.deserializeUser((id: string, done: any) => done(null, id === "ada" ? ada : false));
  // The methods that express-session adds to stores.
  Object.setPrototypeOf(FileStore.prototype, session.Store.prototype);
  app.use(session({ secret, store, resave: false, saveUninitialized: false, cookie: { maxAge } }));
  app.use(passport.session());
  app.getHttpAdapter().getInstance().set("trust proxy", true);
  app.use((req: any, res: any, next: any) => {
    if (req.headers["x-visit"]) req.session.visit = req.headers["x-visit"];
    const done = (): void => res.end("{}");
    if (req.url === "/login") {
      return req.login(ada, () => {
        req.session.user = "ada";
        done();
      });
    }
    if (req.url === "/logout") return req.logout(done);
    if (req.url === "/held") return void holdAndAdd(req.session).then(done);
    if (req.url === "/data") return res.end(JSON.stringify(req.session));
    next();
  });
} else {
  await app.register(require("@fastify/cookie"));
  await app.register(require("@fastify/session"), {
    secret,
    store,
    cookie: { secure: false, maxAge },
    saveUninitialized: false,
    rolling: false,
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook("preHandler", async (request: any) => {
    if (request.headers["x-visit"]) request.session.visit = request.headers["x-visit"];
  });
  fastify.post("/login", async (request: any) => {
    await request.session.regenerate();
    request.session.user = "ada";
    return {};
  });
  fastify.post("/logout", async (request: any) => {
    await request.session.destroy();
    return {};
  });
  fastify.post("/held", async (request: any) => {
    await holdAndAdd(request.session);
    return {};
  });
  fastify.get("/data", async (request: any) => request.session);
}
app.enableShutdownHooks();
await app.listen(Number(PORT), "127.0.0.1");
console.log(`listening ${urlOf(app)}`);
