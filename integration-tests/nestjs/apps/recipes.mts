/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// What the documentation of Nest says of Redis, with `SocketIoAdapter` in place of `IoAdapter`. REDIS: the socket file of a server.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import { SocketIoAdapter } from "@plugboard/nestjs";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { createPlatform, listen } from "./platform.mjs";

const { PLATFORM = "express", REDIS = "" } = process.env;

class RedisIoAdapter extends SocketIoAdapter {
  private adapterConstructor: any;

  async connectToRedis(path: string): Promise<void> {
    const publisher = createClient({ socket: { path } as any });
    const subscriber = publisher.duplicate();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    this.adapterConstructor = createAdapter(publisher, subscriber);
  }

  override createIOServer(port: number, options?: any): any {
    const cors = { origin: "https://example.com" };
    const server = super.createIOServer(port, { ...options, cors });
    server.adapter(this.adapterConstructor);
    return server;
  }
}

@WebSocketGateway()
class RoomsGateway {
  @WebSocketServer() server: any;
  @SubscribeMessage("tell") tell() {
    this.server.emit("told", "everybody");
  }
}

@WebSocketGateway({ namespace: "other" })
class OtherGateway {
  @WebSocketServer() namespace: any;
  @SubscribeMessage("adapter") adapter() {
    return this.namespace.adapter.constructor.name;
  }
}

@Module({ providers: [RoomsGateway, OtherGateway] })
class AppModule {}

const app: any = await NestFactory.create(AppModule, await createPlatform(PLATFORM), { logger: ["error"] });
const redisIoAdapter = new RedisIoAdapter(app, { path: "/realtime" });
await redisIoAdapter.connectToRedis(REDIS);
app.useWebSocketAdapter(redisIoAdapter);
await listen(app);
