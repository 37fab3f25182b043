/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Tests without a port: prints what clients of `createTestClient` get.
import "reflect-metadata";
import { Injectable, Module } from "@nestjs/common";
import { Test } from "@nestjs/testing";
import { SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { createTestClient, SocketIoHealthIndicator, SocketIoModule, UseConnectionGuards } from "@plugboard/nestjs";
import { createPlatform } from "./platform.mjs";

@Injectable()
class NoGuard {
  canActivate() {
    return false;
  }
}

@UseConnectionGuards(NoGuard)
@WebSocketGateway({ namespace: "chat" })
class ChatGateway {
  @SubscribeMessage("hello") hello() {
    return "hello";
  }
}

@Module({ imports: [SocketIoModule.forRoot()], providers: [ChatGateway] })
class AppModule {}

const builder = () => Test.createTestingModule({ imports: [AppModule] });
for (const isOverridden of [false, true]) {
  const testing = isOverridden
    ? builder()
        .overrideGuard(NoGuard)
        .useValue({ canActivate: () => true })
    : builder();
  const app: any = (await testing.compile()).createNestApplication(
    await createPlatform(process.env["PLATFORM"] as string),
  );
  const indicator = app.get(SocketIoHealthIndicator, { strict: false });
  console.log("before", indicator.isHealthy().socketIo.status);
  try {
    const client = await createTestClient(app, "/chat");
    console.log("answer", await client.emitWithAck("hello"));
    console.log(
      "health",
      JSON.stringify(indicator.isHealthy("ws", { maxConnections: 0 })),
      indicator.isHealthy().socketIo.status,
    );
    client.disconnect();
  } catch (error: any) {
    console.log("refused", error.message, JSON.stringify(error.data));
  }
  console.log("listening?", app.getHttpServer().listening);
  await app.close();
  console.log("after", indicator.isHealthy().socketIo.status);
}
console.log("listening nowhere");
