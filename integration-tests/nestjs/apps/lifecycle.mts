/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Sessions and headers of the platform, shutdown, conflicting options. CASE says which. ADAPTER: ours or anchor. TAKES_MS: how
// long handlers have to do while the application closes.
import "reflect-metadata";
import { Injectable, Module, UnauthorizedException } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { createPlatform, listen, require } from "./platform.mjs";

const { PLATFORM = "express", ADAPTER = "ours", CASE = "", PHASE = "dispose", TAKES_MS = "50" } = process.env;
const plugboard = ADAPTER === "anchor" ? await import("./no-plugboard.mjs") : await import("@plugboard/nestjs");
const takesTime = () => new Promise((resolve) => setTimeout(resolve, Number(TAKES_MS)));
const { WsSession } = plugboard as any;

@WebSocketGateway(CASE === "conflict" ? { pingInterval: 1000 } : {})
class FirstGateway {
  @SubscribeMessage("session") session(
    @((WsSession ?? (() => () => {}))()) session: any,
    @ConnectedSocket() client: any,
  ) {
    return { user: session?.data.user, header: client.handshake.headers["x-test"] };
  }
  @SubscribeMessage("slow") async slow() {
    const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
    console.log("handler begins");
    await stopped;
    await takesTime();
    console.log("handler ends");
    return "done";
  }
  async handleDisconnect() {
    await takesTime();
    console.log("handleDisconnect ends");
  }
}

@WebSocketGateway(CASE === "conflict" ? { namespace: "other", pingInterval: 2000 } : { namespace: "other" })
class SecondGateway {
  afterInit() {
    if (CASE === "after-init") throw new Error("afterInit failed");
  }
}

@Injectable()
class Database {
  onModuleDestroy() {
    console.log("onModuleDestroy");
  }
  onApplicationShutdown() {
    console.log("onApplicationShutdown");
  }
}

const options = { shutdown: { phase: PHASE } };
@Module({
  imports: ADAPTER === "module" ? [(plugboard as any).SocketIoModule.forRoot(options)] : [],
  providers: [FirstGateway, SecondGateway, Database],
})
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), {
  logger: ["error"],
  abortOnError: false,
} as object);
if (ADAPTER === "ours") app.useWebSocketAdapter(new (plugboard as any).SocketIoAdapter(app, options));
if (CASE === "session") {
  const secret = "a secret that is long enough for everybody";
  if (PLATFORM === "express") {
    app.use(require("express-session")({ secret, resave: false, saveUninitialized: false }));
    app.use((req: any, res: any, next: any) => {
      res.setHeader("x-powered-by-hook", "yes");
      if (req.headers["x-refuse"]) return res.status(401).end("refused by the platform");
      if (req.headers["x-answer-and-go-on"]) res.status(403).end("answered");
      if (req.url === "/login") {
        req.session.user = "ada";
        return res.end("ok");
      }
      next();
    });
  } else {
    await app.register(require("@fastify/cookie"));
    await app.register(require("@fastify/session"), { secret, cookie: { secure: false }, saveUninitialized: false });
    const fastify = app.getHttpAdapter().getInstance();
    fastify.addHook("preHandler", async (request: any, reply: any) => {
      reply.header("x-powered-by-hook", "yes");
      if (request.headers["x-refuse"]) return reply.code(401).send("refused by the platform");
      if (request.headers["x-answer-and-go-on"]) reply.raw.writeHead(403).end("answered");
    });
    fastify.get("/login", async (request: any) => {
      request.session.user = "ada";
      return "ok";
    });
  }
}
void UnauthorizedException;
await listen(app);
