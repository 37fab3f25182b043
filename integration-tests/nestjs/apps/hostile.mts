/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Errors that are nothing, or that cannot be read or sent; answers in parts; a farewell that takes its time.
import "reflect-metadata";
import { Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway, WsException } from "@nestjs/websockets";
import { SocketIoModule, SocketMiddleware, UseConnectionGuards } from "@plugboard/nestjs";
import { createPlatform, listen } from "./platform.mjs";

const { PLATFORM = "express" } = process.env;

function circular(): object {
  const members: any = {};
  members.self = members;
  return members;
}

/** Throws nothing at all for whoever reads it. */
const unreadable: any = new Proxy(
  {},
  {
    get() {
      throw undefined;
    },
  },
);

@Injectable()
class RejectingMiddleware {
  async use() {
    return Promise.reject();
  }
}
@SocketMiddleware(RejectingMiddleware)
@WebSocketGateway({ namespace: "rejecting" })
class RejectingGateway {}

@Injectable()
class UnreadableGuard {
  canActivate() {
    throw unreadable;
  }
}
@UseConnectionGuards(UnreadableGuard)
@WebSocketGateway({ namespace: "unreadable" })
class UnreadableGateway {}

@WebSocketGateway({ namespace: "failing" })
class FailingGateway {
  async handleConnection() {
    throw new WsException(circular());
  }
  @SubscribeMessage("secret") secret() {
    return "a secret";
  }
}

let release: () => void = () => {};
@WebSocketGateway({ namespace: "farewell" })
class FarewellGateway {
  async handleDisconnect() {
    console.log("farewell begins");
    await new Promise<void>((resolve) => (release = resolve));
  }
}

@Module({
  imports: [SocketIoModule.forRoot({ shutdown: { timeout: 30_000 } })],
  providers: [
    RejectingGateway,
    UnreadableGateway,
    FailingGateway,
    FarewellGateway,
    RejectingMiddleware,
    UnreadableGuard,
  ],
})
class AppModule {
  configure(consumer: any) {
    consumer
      .apply((req: any, res: any, next: any) => {
        const url = req.originalUrl ?? req.url;
        if (url === "/release") {
          release();
          return res.end();
        }
        if (!url.includes("parts=")) return next();
        res.statusCode = 403;
        let parts = 0;
        const more = (): void => {
          while (++parts <= 20) if (!res.write("x".repeat(100_000))) return void res.once("drain", more);
          res.end("the end");
        };
        more();
      })
      .forRoutes("*");
  }
}

await listen(await NestFactory.create(AppModule, await createPlatform(PLATFORM), { logger: ["error"] }));
