/* oxlint-disable typescript/no-explicit-any -- stands for the program of a user, which is compiled without being checked */
// Better Auth by its module for Nest: who has logged in over HTTP is known at connect, and for each event.
import "reflect-metadata";
import { Module, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { SocketIoModule, UseConnectionGuards, WsUser } from "@plugboard/nestjs";
import { AllowAnonymous, AuthGuard, AuthModule, Session } from "@thallesp/nestjs-better-auth";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { createPlatform, listen } from "./platform.mjs";

const auth = betterAuth({
  baseURL: "http://localhost",
  secret: "known to the tests alone, and long enough",
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  advanced: { disableCSRFCheck: true },
});

@UseConnectionGuards(AuthGuard)
@WebSocketGateway({ namespace: "members" })
class MembersGateway {
  @SubscribeMessage("who") who(@ConnectedSocket() client: any) {
    return client.user.name;
  }
}

@UseGuards(AuthGuard)
@WebSocketGateway({ namespace: "open" })
class OpenGateway {
  @SubscribeMessage("who") who(@Session() session: any, @WsUser("name") name: unknown) {
    return [session.user.name, name];
  }
  @AllowAnonymous()
  @SubscribeMessage("hello")
  hello() {
    return "hello";
  }
}

@Module({
  imports: [AuthModule.forRoot({ auth } as any), SocketIoModule.forRoot()],
  providers: [MembersGateway, OpenGateway],
})
class AppModule {}

const app = await NestFactory.create(AppModule, await createPlatform("express"), {
  bodyParser: false,
  logger: ["error"],
});
await listen(app);
