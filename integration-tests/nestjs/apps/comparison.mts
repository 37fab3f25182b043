/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// What @nestjs/platform-socket.io does otherwise than we do. ADAPTER: ours or anchor.
import "reflect-metadata";
import { Catch, Injectable, Module, NotFoundException, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway, WsException } from "@nestjs/websockets";
import { createPlatform, listen } from "./platform.mjs";

const { ADAPTER } = process.env;

@Injectable()
class NoGuard {
  canActivate() {
    return false;
  }
}

@WebSocketGateway({ namespace: "guarded" })
class GuardedGateway {
  @UseGuards(NoGuard)
  handleConnection() {}
}

@WebSocketGateway({ namespace: "rejecting" })
class RejectingGateway {
  async handleConnection() {
    throw new Error("handleConnection failed");
  }
}

@WebSocketGateway({ namespace: "leaving" })
class LeavingGateway {
  handleDisconnect() {
    throw new Error("handleDisconnect failed");
  }
}

@Catch(RangeError)
class RangeFilter {
  catch(_error: RangeError, host: any) {
    host.switchToWs().getClient().emit("exception", { message: "caught by the global filter" });
  }
}

@WebSocketGateway()
class MainGateway {
  @SubscribeMessage("ping") ping() {
    return "pong";
  }
  @SubscribeMessage("missing") missing() {
    throw new NotFoundException("no such thing");
  }
  @SubscribeMessage("refuse") refuse() {
    throw new WsException("no");
  }
  @SubscribeMessage("range") range() {
    throw new RangeError("too far");
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

@Module({
  providers: [
    NoGuard,
    GuardedGateway,
    RejectingGateway,
    LeavingGateway,
    MainGateway,
    RoomGateway,
    OtherRoomGateway,
    ...many,
  ],
})
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform("express"), { logger: ["error"] });
app.useGlobalFilters(new RangeFilter());
if (ADAPTER === "ours") {
  const { SocketIoAdapter } = await import("@plugboard/nestjs");
  app.useWebSocketAdapter(new SocketIoAdapter(app, { globalFilters: true }));
}
process.on("warning", ({ name }) => console.log(name));
await listen(app);
