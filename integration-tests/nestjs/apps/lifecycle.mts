/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// How applications start, what their platform gives to sockets, and how they close. Several in one process, which ends with SIGTERM.
import "reflect-metadata";
import { Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { SocketIoAdapter, SocketIoModule, WsSession } from "@plugboard/nestjs";
import { createPlatform, require, urlOf } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

async function create(metadata: any, options: object = {}, by = "module"): Promise<any> {
  const { imports = [], ...ofModule } = metadata;
  @Module({ ...ofModule, imports: [...imports, ...(by === "module" ? [SocketIoModule.forRoot(options)] : [])] })
  class AppModule {}
  const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), {
    logger: ["error"],
    abortOnError: false,
  } as object);
  if (by === "adapter") app.useWebSocketAdapter(new SocketIoAdapter(app, options));
  return app;
}

// Applications that do not start.

@WebSocketGateway({ pingInterval: 1000 })
class FirstGateway {}
@WebSocketGateway({ namespace: "other", pingInterval: 2000 })
class SecondGateway {}

@WebSocketGateway()
class InitGateway {
  afterInit() {
    throw new Error("afterInit failed");
  }
}

for (const [name, providers] of Object.entries({ contradicting: [FirstGateway, SecondGateway], init: [InitGateway] })) {
  for (const by of ["module", "adapter"]) {
    const starting = create({ providers }, {}, by).then((app) => app.init());
    const outcome = await starting.then(
      () => "has started",
      (error: Error) => error.message,
    );
    console.log(`${name} by ${by}: ${outcome}`);
  }
}

// Applications that close, one after the other or at the same time.

/** Of each application the lines are told apart by its name. */
function closingModule(name: string) {
  const print = (line: string): void => console.log(`${name}: ${line}`);
  @WebSocketGateway()
  class SlowGateway {
    @SubscribeMessage("slow") async slow() {
      const stopped = new Promise((resolve) => process.once("SIGTERM", resolve));
      print("handler begins");
      await stopped;
      // Something takes time while the application closes, or never ends.
      await new Promise((resolve) => name !== "never" && setTimeout(resolve, 100));
      print("handler ends");
      return "done";
    }
    async handleDisconnect() {
      await new Promise((resolve) => name !== "never" && setTimeout(resolve, 50));
      print("handleDisconnect ends");
    }
  }
  @Injectable()
  class Database {
    onModuleDestroy() {
      print("onModuleDestroy");
    }
    onApplicationShutdown() {
      print("onApplicationShutdown");
    }
  }
  return { providers: [SlowGateway, Database] };
}

for (const [name, by, shutdown] of [
  ["adapter-dispose", "adapter", { phase: "dispose" }],
  ["module-dispose", "module", { phase: "dispose" }],
  ["module-moduleDestroy", "module", { phase: "moduleDestroy" }],
  ["never", "module", { timeout: 300 }],
] as const) {
  const app = await create(closingModule(name), { shutdown }, by);
  app.enableShutdownHooks();
  await app.listen(0, "127.0.0.1");
  console.log(`at ${name} ${urlOf(app)}`);
}

// Sessions and headers of the platform.

@WebSocketGateway()
class SessionGateway {
  @SubscribeMessage("session") session(@WsSession("user") user: unknown, @ConnectedSocket() client: any) {
    return { user, isShared: client.session !== undefined, header: client.handshake.headers["x-test"] };
  }
}

async function serveSessions(options: object = {}): Promise<string> {
  const app = await create({ providers: [SessionGateway] }, options);
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
  await app.listen(0, "127.0.0.1");
  return urlOf(app);
}

console.log(`at unshared ${await serveSessions({ session: false })}`);
console.log(`listening ${await serveSessions()}`);
